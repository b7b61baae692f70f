# Three instances of "web", each with a check of its own. `make run` serves the three ports.

services {
  id   = "web-1"
  name = "web"
  port = 9081
  tags = ["v2", "canary"]
  meta = { version = "2.0.0" }

  check {
    name     = "web-1 answers"
    http     = "http://127.0.0.1:9081/health"
    interval = "1s"
    timeout  = "500ms"
  }
}

services {
  id   = "web-2"
  name = "web"
  port = 9082
  tags = ["v1"]
  meta = { version = "1.4.2" }

  check {
    name     = "web-2 answers"
    http     = "http://127.0.0.1:9082/health"
    interval = "1s"
    timeout  = "500ms"
  }
}

services {
  id   = "web-3"
  name = "web"
  port = 9083
  tags = ["v1"]
  meta = { version = "1.4.2" }

  check {
    name     = "web-3 answers"
    http     = "http://127.0.0.1:9083/health"
    interval = "1s"
    timeout  = "500ms"
  }
}
