"""One session of Netmiko's `mikrotik_routeros` driver, unmodified: what it did, as one JSON object on standard output."""

import json
import sys

import netmiko

host, password = sys.argv[1:3]
did = {}
# A loaded machine is slow: every patience is a minute.
patience = {name: 60 for name in ("conn_timeout", "auth_timeout", "banner_timeout", "read_timeout_override")}
with netmiko.ConnectHandler(
    device_type="mikrotik_routeros", host=host, username="admin", password=password, **patience
) as router:
    did["prompt"] = router.find_prompt()
    did["identity"] = router.send_command("/system identity print")
    did["addresses"] = router.send_command("/ip address print")
    did["long"] = router.send_command(
        ':for i from=1 to=300 do={ :put "row $i of a table that is longer than a screen" }'
    )
    did["bad"] = router.send_command("/no-such-menu print")
    did["configured"] = router.send_config_set(
        ["/ip address add address=10.1.1.1/24 interface=ether2", "/ip address add address=10.1.2.1/24 interface=ether2"]
    )
    did["after"] = router.send_command(":put [:len [/ip address find interface=ether2]]")
    # What the templates of ntc-templates, made from prints of real routers, read in ours; a text where they can't.
    did["parsed"] = {}
    for command in sys.argv[3:]:
        try:
            did["parsed"][command] = router.send_command(command, use_textfsm=True)
        except Exception as error:
            did["parsed"][command] = str(error)
try:
    netmiko.ConnectHandler(device_type="mikrotik_routeros", host=host, username="admin", password="wrong", **patience)
    did["wrong_password"] = "taken"
except netmiko.exceptions.NetmikoAuthenticationException:
    did["wrong_password"] = "refused"
json.dump(did, sys.stdout)
