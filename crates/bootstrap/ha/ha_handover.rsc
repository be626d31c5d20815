# The switch itself. Whoever runs it has proved the standby ready.
:global haHandover "running"
/system script run ha_config
:global haAnswer
:global haField
:global haWriteFile
:global haTell
:local vrrp [/interface vrrp find name="HA_VRRP"]
:local mine [:tonum [/interface vrrp get $vrrp priority]]
# The standby raises its priority above this router's, counts to three and takes over; until it does, this router goes on
# forwarding. Nothing is written here: a master that writes to its VRRP interface resigns at once.
:if ($mine < 250) do={
  /log warning "ha_handover: the standby raises its VRRP priority"
  $haTell text=("/interface vrrp set [find name=\"HA_VRRP\"] priority=" . ($mine + 1) . " preemption-mode=yes\n")
} else={
  # no room above, after some 150 switches without a start: this one resigns, and nobody is active until the other has counted
  /log warning "ha_handover: lowering my VRRP priority"
  /interface vrrp set $vrrp priority=50 preemption-mode=no
}
:local tries 0
:while (([/interface vrrp get $vrrp master]) and ($tries < 100)) do={
  :delay 0.1
  :set tries ($tries + 1)
}
:if ([/interface vrrp get $vrrp master]) do={
  # it must not take over later
  :if ($mine < 250) do={ $haTell text="/system script run ha_setpriority\n" }
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
    :local held ""
    :local again "x"
    :set tries 0
    :while (($held != $again) and ($tries < 5)) do={
      :set held $again
      :delay 2
      /system script run ha_ask
      :set again [$haField text=$haAnswer key="mine"]
      :set tries ($tries + 1)
    }
    :if (($held = $again) and ([:len $held] > 0)) do={
      $haWriteFile fileName="HA_config-version" fileText=$held
    }
    /log warning "ha_handover: DONE, the other router is active"
    :set haHandover "done"
  } else={
    /log error "ha_handover: the other router did not become active; RETREAT"
    # this router is a standby now, which may write
    /interface vrrp set $vrrp priority=($mine + 2) preemption-mode=yes
    :set tries 0
    :while ((![/interface vrrp get $vrrp master]) and ($tries < 200)) do={
      :delay 0.1
      :set tries ($tries + 1)
    }
    :set haHandover "RETREAT, the other router did not become active; this one has taken the role back"
  }
}
