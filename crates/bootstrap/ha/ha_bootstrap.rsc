# Prints what makes an erased router the other one of this pair. Each line proves itself: on a router with another HA port's
# MAC it does nothing, and there is no reset in it.
/system script run ha_config
:global haInterface
:global haMacOther
:global haAddressOther
:global haSecret
:local secret [$haSecret]
:local guard (":if ([:tostr [/interface ethernet get [find default-name=" . $haInterface . "] orig-mac-address]]=\"" . $haMacOther . "\") do={")
:put ($guard . ":do {/ip address add address=" . $haAddressOther . "/24 interface=" . $haInterface . "} on-error={}}")
:put ($guard . ":do {/user add name=ha group=full password=\"" . $secret . "\"} on-error={/user set ha password=\"" . $secret . "\"}}")
:put ($guard . "/ip service set [:pick [find name=ftp] 0] disabled=no; :put HA_BOOTSTRAPPED}")
