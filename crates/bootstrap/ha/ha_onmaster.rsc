# VRRP made this router the active: open the data ports. A port whose comment holds HA_OFF stays as it is.
:global isMaster true
/log warning "ha_onmaster: opening data ports"
:foreach port in=[/interface ethernet find] do={
  :local words [:tostr [/interface ethernet get $port comment]]
  :if ([:typeof [:find $words "HA_OFF"]] = "nil") do={ /interface ethernet enable $port }
}
# An active holds no version that another one gave it.
:global haConfigVer ""
:do {
  /system script run ha_config
  :global haWriteFile
  /file remove [find name="HA_run-after-hastartup.rsc"]
  $haWriteFile fileName="HA_config-version" fileText="none"
} on-error={ /log error "ha_onmaster: the old version could not be taken away" }
/system script run ha_setidentity
:if ([:len [/system script find name="on_master"]] = 1) do={
  :do { /system script run on_master } on-error={ /log error "ha_onmaster: on_master failed" }
}
