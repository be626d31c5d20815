# Names the active's configuration in a text without quotes, so that it can travel inside a quoted string.
# It changes with every change that the router's history records, with files that come or go, with certificates and with a boot.
# Not with the contents of files: ha_resend sends those without a restart.
/system script run ha_config
:global haMasterConfigVer ""
:local boot "unknown"
:local stamp [/file find name="HA_boot.txt"]
:if ([:len $stamp] = 1) do={ :set boot [/file get $stamp contents] }
:local acts [/system history find]
:local count [:len $acts]
:local history $count
:if ($count > 0) do={
  :local first [:tostr [:pick $acts 0]]
  :local last [:tostr [:pick $acts ($count - 1)]]
  :set history ($count . "/" . $first . "/" . $last)
}
:local files ""
:foreach item in=[/file find] do={
  :local name [/file get $item name]
  :if (([:pick $name 0 3] != "HA_") and ([:pick $name 0 9] != "flash/HA_")) do={ :set files ($files . [:tostr $item]) }
}
:local certificates ""
:foreach item in=[/certificate find] do={ :set certificates ($certificates . [:tostr $item]) }
:set haMasterConfigVer ("boot=" . $boot . " history=" . $history . " files=" . $files . " certificates=" . $certificates)
