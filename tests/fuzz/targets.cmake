fuzz_target(yaml base)
fuzz_target(event_text admin base)
fuzz_target(shop demo)
fuzz_target(proxy_header proxy)
