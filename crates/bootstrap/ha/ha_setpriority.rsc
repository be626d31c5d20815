# VRRP priorities: 90 for a router that starts, 80 when its HA port had no link, 100 for a standby that has been one for a while,
# so that a router that starts, and believes for a moment that it is alone, does not beat an active that was a standby before.
# Every write to a VRRP interface starts its state machine anew, and a master resigns by it [one project's measurements, 7.23 and
# 7.24]: only a standby writes, and only what differs.
:local vrrp [/interface vrrp find name="HA_VRRP"]
:if ([:len $vrrp] = 1) do={
  :if ([/interface vrrp get $vrrp backup]) do={
    :if (([:tonum [/interface vrrp get $vrrp priority]] != 100) or ([/interface vrrp get $vrrp preemption-mode])) do={
      /interface vrrp set $vrrp priority=100 preemption-mode=no
    }
  }
}
