# The switch itself. Whoever runs it has proved the standby ready.
:global haHandover "running"
/system script run ha_config
:global haAnswer
:global haField
:global haWriteFile
:local vrrp [/interface vrrp find name="HA_VRRP"]
/log warning "ha_handover: lowering my VRRP priority"
# the standby now counts to three and takes over; until it does, this router goes on forwarding
/interface vrrp set $vrrp priority=50
:local tries 0
:while (([/interface vrrp get $vrrp master]) and ($tries < 100)) do={
  :delay 0.1
  :set tries ($tries + 1)
}
:if ([/interface vrrp get $vrrp master]) do={
  /interface vrrp set $vrrp priority=100
  /log error "ha_handover: the standby did not take over; nothing changed"
  :set haHandover "the standby did not take over; this router is still active, nothing changed"
} else={
  # ha_onbackup has closed the ports; is the other one really there
  :local active false
  :set tries 0
  :while ((!$active) and ($tries < 10)) do={
    :delay 1
    :set tries ($tries + 1)
    /system script run ha_ask
    :if ([$haField text=$haAnswer key="role"] = "active") do={
      :if ([$haField text=$haAnswer key="open"] != "0") do={ :set active true }
    }
  }
  :if ($active) do={
    # Both have the same configuration: this one is in sync with what the new active calls its version, once that is settled.
    :local mine ""
    :local again "x"
    :set tries 0
    :while (($mine != $again) and ($tries < 5)) do={
      :set mine $again
      :delay 2
      /system script run ha_ask
      :set again [$haField text=$haAnswer key="mine"]
      :set tries ($tries + 1)
    }
    :if (($mine = $again) and ([:len $mine] > 0)) do={
      $haWriteFile fileName="HA_config-version" fileText=$mine
    }
    /log warning "ha_handover: DONE, the other router is active"
    :set haHandover "done"
  } else={
    /log error "ha_handover: the other router did not become active; RETREAT"
    /interface vrrp set $vrrp priority=200
    :set tries 0
    :while ((![/interface vrrp get $vrrp master]) and ($tries < 200)) do={
      :delay 0.1
      :set tries ($tries + 1)
    }
    :set haHandover "RETREAT, the other router did not become active; this one has taken the role back"
  }
}
