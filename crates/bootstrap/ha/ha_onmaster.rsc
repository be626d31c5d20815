# VRRP made this router the active: service MACs, then open the data ports. A port whose comment holds HA_OFF stays as it is.
:local ready true
# Before this boot's startup is done VRRP can only be what the last life left behind: its master is a mistake.
:if (([/system resource get uptime] < 5m) and ([:len [/log find buffer="memory" message~"ha_startup: DONE"]] = 0)) do={ :set ready false }
:if (!$ready) do={
  /log error "ha_onmaster: REFUSED, startup is not done; data ports stay closed"
} else={
  :global isMaster true
  /log warning "ha_onmaster: opening data ports"
  :if ([:len [/system script find name="ha_service_macs"]] = 1) do={ /system script run ha_service_macs }
  :global haServiceMacs
  # The role may go again while this is at it: what on-backup has shut since must not stay open.
  :local vrrp [/interface vrrp find name="HA_VRRP"]
  :local lost false
  :foreach port in=[/interface ethernet find] do={
    :if ([:len $vrrp] = 1) do={ :set lost [/interface vrrp get $vrrp backup] }
    :if (!$lost) do={
      :local words [:tostr [/interface ethernet get $port comment]]
      :local mark ("," . [/interface ethernet get $port default-name] . "=")
      :local begin [:find $haServiceMacs $mark]
      :if ([:typeof $begin] = "num") do={
        :set begin ($begin + [:len $mark])
        :local mac [:pick $haServiceMacs $begin ($begin + 17)]
        :if ($mac != [:tostr [/interface ethernet get $port mac-address]]) do={ /interface ethernet set $port mac-address=$mac }
      }
      :if ([:typeof [:find $words "HA_OFF"]] = "nil") do={ /interface ethernet enable $port }
    }
  }
  :if ($lost) do={
    /system script run ha_onbackup
    :error "ha_onmaster: OVERTAKEN, this router is the standby again; data ports closed"
  }
  :foreach bond in=[/interface bonding find] do={
    :local words [:tostr [/interface bonding get $bond comment]]
    :if ([:typeof [:find $words "HA_OFF"]] = "nil") do={ /interface bonding enable $bond }
  }
  # the other version's menu would only leave an error in the log
  :if ([:pick [/system resource get version] 0 1] = "6") do={
    :execute "/routing bgp peer enable [find comment!=\"HA_OFF\"]"
  } else={
    :execute "/routing bgp connection enable [find comment!=\"HA_OFF\"]"
  }
  # An active holds no version that another one gave it.
  :global haConfigVer ""
  :do {
    /system script run ha_config
    :set isMaster true
    :global haWriteFile
    /file remove [find name~"^(flash/)*HA_run-after-hastartup[.]rsc"]
    $haWriteFile fileName="HA_config-version" fileText="none"
  } on-error={ /log error "ha_onmaster: the old version could not be taken away" }
  /system script run ha_setidentity
  :if ([:len [/system script find name="on_master"]] = 1) do={
    :do { /system script run on_master } on-error={ /log error "ha_onmaster: on_master failed" }
  }
  /log warning "ha_onmaster: DONE"
  :if ([:len $vrrp] = 1) do={
    :if ([/interface vrrp get $vrrp backup]) do={ /system script run ha_onbackup }
  }
}
