# VRRP made this router the standby: close the data ports before anything else.
:global isMaster false
:global haInterface
:if ([:len $haInterface] = 0) do={ /system script run ha_config_base }
/interface bonding disable [find comment!="HA_RESCUE"]
/interface ethernet disable [find default-name!=$haInterface comment!="HA_RESCUE"]
/log warning "ha_onbackup: data ports closed"
# Before this boot's startup has made it anew this is VRRP as the last life left it. Startup does the rest, and looks at the MACs first.
:local ready true
:if (([/system resource get uptime] < 5m) and ([:len [/log find buffer="memory" message~"ha_startup: 5"]] = 0)) do={ :set ready false }
:if ($ready) do={
  # only then their own MACs, so that no port ever speaks while it changes
  # of the data ports: a port whose MAC is set may lose its link for a moment, and the HA port's is what this role hangs on
  /interface ethernet reset-mac-address [find default-name!=$haInterface]
  # the other version's menu would only leave an error in the log
  :if ([:pick [/system resource get version] 0 1] = "6") do={
    :execute "/routing bgp peer disable [find]"
  } else={
    :execute "/routing bgp connection disable [find]"
  }
  /system script run ha_config
  /system script run ha_setidentity
  :if ([:len [/system script find name="on_backup"]] = 1) do={
    :do { /system script run on_backup } on-error={ /log error "ha_onbackup: on_backup failed" }
  }
}
