// npm's `consul`, as it is: every step asserts what it got, and "ok" on the last line means that all of them held.
const assert = require("node:assert/strict");
const { once } = require("node:events");
const Consul = require("consul");

const consul = new Consul({ host: "127.0.0.1", port: Number(process.argv[2]) });

async function eventually(what, ask) {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${what}: not within 10 s`);
}

async function services() {
  await consul.agent.service.register({
    id: "web-1", name: "web", address: "10.1.2.3", port: 80, tags: ["v1"], check: { ttl: "60s" },
  });
  assert.equal((await consul.agent.service.list())["web-1"].Port, 80);
  await consul.agent.check.pass({ id: "service:web-1", note: "well" });
  await eventually("web passing", async () => (await consul.health.service({ service: "web", passing: true })).length === 1);
  const [found] = await consul.health.service("web");
  assert.equal(found.Service.Address, "10.1.2.3");
  assert.deepEqual((await consul.catalog.service.list()).web, ["v1"]);
  await consul.agent.check.fail("service:web-1");
  await eventually("web critical", async () => (await consul.health.state("critical")).some((c) => c.CheckID === "service:web-1"));
  await consul.agent.service.deregister("web-1");
  await eventually("web gone", async () => !("web" in (await consul.catalog.service.list())));
}

async function keys() {
  assert.equal(await consul.kv.set("config/colour", "green"), true);
  const watch = consul.watch({ method: consul.kv.get, options: { key: "config/colour", wait: "30s" } });
  const [first] = await once(watch, "change");
  assert.equal(first.Value, "green");
  const changed = once(watch, "change");
  await consul.kv.set("config/colour", "blue");
  const [second] = await changed;
  assert.equal(second.Value, "blue");
  watch.end();
  assert.deepEqual(await consul.kv.keys("config/"), ["config/colour"]);
  await consul.kv.del({ key: "config/", recurse: true });
  assert.equal(await consul.kv.get("config/colour"), undefined);
}

async function locks() {
  const first = (await consul.session.create({ name: "first", lockdelay: "1ms", ttl: "60s" })).ID;
  const second = (await consul.session.create({ name: "second" })).ID;
  assert.equal(await consul.kv.set({ key: "lock", value: "mine", acquire: first }), true);
  assert.ok(!(await consul.kv.set({ key: "lock", value: "mine", acquire: second }))); // the client makes undefined of false
  assert.equal((await consul.kv.get("lock")).Session, first);
  assert.equal((await consul.session.renew(first))[0].ID, first);
  assert.equal(await consul.kv.set({ key: "lock", value: "free", release: first }), true);
  assert.equal(await consul.kv.set({ key: "lock", value: "mine", acquire: second }), true);
  await consul.session.destroy(first);
  await consul.session.destroy(second);
}

async function transactions() {
  const answer = await consul.transaction.create([
    { KV: { Verb: "set", Key: "a", Value: Buffer.from("1").toString("base64") } },
    { KV: { Verb: "get", Key: "a" } },
  ]);
  assert.equal(answer.Results.length, 2);
}

(async () => {
  assert.match(await consul.status.leader(), /:\d+$/);
  for (const part of [services, keys, locks, transactions]) await part();
  console.log("ok");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
