# Every minute, on both: is the other router there. The active can't know it from VRRP; the standby would only become active.
/system script run ha_config
:global haAddressOther
:global haInterface
:global haWriteFile
:global haPing
:local seen false
:local tries 0
:while ((!$seen) and ($tries < 3)) do={
  :if ([:typeof [:find [$haPing address=$haAddressOther count=1] "time="]] != "nil") do={ :set seen true }
  :set tries ($tries + 1)
}
:local before "unknown"
:local file [/file find name="HA_link.txt"]
:if ([:len $file] = 1) do={ :set before [/file get $file contents] }
:if ($seen) do={
  :if ([:pick $before 0 2] != "OK") do={
    $haWriteFile fileName="HA_link" fileText="OK"
    /log warning "ha_watch: HA LINK OK, the other router answers at $haAddressOther"
  }
} else={
  :local port "without link (cable out, or the other router is off)"
  :if ([/interface ethernet get [find default-name=$haInterface] running]) do={ :set port "with link (the other router is starting, or stuck)" }
  :if ([:pick $before 0 4] != "DEAD") do={
    :local date [/system clock get date]
    :local time [/system clock get time]
    $haWriteFile fileName="HA_link" fileText="DEAD since $date $time, $haInterface $port"
  }
  /log error "ha_watch: HA LINK DEAD, $haInterface $port; the other router may be active too: isolate one before the cable goes back in"
}

# The priority of a standby whose active is there. Only what was the same a minute ago: a switch that is under way raises it.
:global haPrioritySeen
:local vrrp [/interface vrrp find name="HA_VRRP"]
:local priority "none"
:if ($seen and ([:len $vrrp] = 1)) do={
  :if ([/interface vrrp get $vrrp backup]) do={
    :set priority ([:tostr [/interface vrrp get $vrrp priority]] . " " . [:tostr [/interface vrrp get $vrrp preemption-mode]])
  }
}
:if (($priority != "none") and ($priority = $haPrioritySeen)) do={ /system script run ha_setpriority }
:set haPrioritySeen $priority

# A push that was killed, or whose link died, leaves secrets in clear. On the standby nobody knows whether one is under way:
# there it is the link, or time, that says so. A start, and a standby that is made again, still need theirs.
:global isMaster
:global haLeftFor
:local left [:len [/file find name~"^(flash/)*HA_(restore-backup|quiet|scripts|key_)"]]
:if (([:len [/system scheduler find name="ha_quiet"]] > 0) or ([:len [/system script job find script="ha_startup"]] > 0) or ([/system resource get uptime] < 1m)) do={ :set left 0 }
:if ($left = 0) do={ :set haLeftFor 0 } else={
  :set haLeftFor ($haLeftFor + 1)
  :local pushing [:len [/system script job find script="ha_pushbackup"]]
  :if ((!$seen) or ($isMaster and ($pushing = 0)) or ($haLeftFor > 15)) do={
    /system script run ha_clean
    /log warning "ha_watch: what a push left behind was taken away"
  }
}

# A standby's data ports are shut, whatever has opened them: safe mode undoes what was done while it was held, by anybody, when
# its session is lost.
:local open 0
:if ([:len $vrrp] = 1) do={
  :if (([/interface vrrp get $vrrp backup]) and ([:len [/system script job find script="ha_onmaster"]] = 0) and ([:len [/system script job find script="ha_startup"]] = 0)) do={
    :set open [:len [/interface ethernet find default-name!=$haInterface comment!="HA_RESCUE" disabled=no]]
  }
}
:if ($open > 0) do={
  /log error "ha_watch: $open data ports of this standby were on; they are shut"
  /system script run ha_onbackup
}
