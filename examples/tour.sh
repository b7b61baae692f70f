# Who serves "web" and is well: over HTTP, and over DNS.
curl 'http://127.0.0.1:8500/v1/health/service/web?passing&pretty'
dig @127.0.0.1 -p 8600 web.service.consul SRV +short

# The catalog, and the key/value store.
.venv/bin/lictor catalog services -tags
.venv/bin/lictor kv get -recurse config/
.venv/bin/lictor kv put config/web/colour blue

# One instance falls ill: a second later it is in no answer, until it is mended.
curl -X PUT http://127.0.0.1:9082/break
dig @127.0.0.1 -p 8600 web.service.consul SRV +short
curl 'http://127.0.0.1:8500/v1/health/state/critical?pretty'
curl -X PUT http://127.0.0.1:9082/mend
