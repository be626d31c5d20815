"""One session of Netmiko's `mikrotik_routeros` driver, unmodified: what it did, as one JSON object on standard output."""

import json
import sys

import netmiko

host, password = sys.argv[1:3]
did = {}
with netmiko.ConnectHandler(
    device_type="mikrotik_routeros", host=host, username="admin", password=password, conn_timeout=60
) as router:
    did["prompt"] = router.find_prompt()
    did["identity"] = router.send_command("/system identity print", read_timeout=60)
    did["addresses"] = router.send_command("/ip address print", read_timeout=60)
    did["long"] = router.send_command(
        ':for i from=1 to=300 do={ :put "row $i of a table that is longer than a screen" }', read_timeout=60
    )
    did["bad"] = router.send_command("/no-such-menu print", read_timeout=60)
    did["configured"] = router.send_config_set(
        ["/ip address add address=10.1.1.1/24 interface=ether2", "/ip address add address=10.1.2.1/24 interface=ether2"],
        read_timeout=60,
    )
    did["after"] = router.send_command(":put [:len [/ip address find interface=ether2]]", read_timeout=60)
try:
    netmiko.ConnectHandler(device_type="mikrotik_routeros", host=host, username="admin", password="wrong", conn_timeout=60)
    did["wrong_password"] = "taken"
except netmiko.exceptions.NetmikoAuthenticationException:
    did["wrong_password"] = "refused"
json.dump(did, sys.stdout)
