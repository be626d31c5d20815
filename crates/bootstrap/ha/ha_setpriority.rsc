# VRRP priorities: active 100, standby 90, the preferred router as standby 95. A standby that starts, and believes for a
# moment that it is alone, never beats a running active; one that died as the active is beaten by the address or later.
:global isMaster
:global haPreferMac
:global haMacMe
:local wanted 90
:if (([:len $haPreferMac] > 0) and ($haPreferMac = $haMacMe)) do={ :set wanted 95 }
:if ($isMaster) do={ :set wanted 100 }
:local vrrp [/interface vrrp find name="HA_VRRP"]
:if ([:len $vrrp] = 1) do={
  :if ([:tonum [/interface vrrp get $vrrp priority]] != $wanted) do={ /interface vrrp set $vrrp priority=$wanted }
}
