# The quiet way: the standby is reset and made again by commands. Its ports are off and have their own MACs before anything
# of the active's is applied, and stay so.
:global haInterface
:global haMacOther
:global haAddressOther
:global haSecret
:global haWriteFile
:global haUpload
:global haUploadLast
:global haDir
:global haQuote
:global haPadding
:global haMasterConfigVer
:global haPushWhy
/system script run ha_measure
:global haMeasure
:global haExport
$haExport export="/system script export" file="HA_scripts"
:local count [:len [/interface ethernet find]]
# First: right after the reset. Only closes ports, again and again until all are there, and starts the second as a job of its
# own: what runs after a reset is cut off at 120 s on 7.x.
:local first (":local tries 0\n/interface ethernet disable [find]\n/log warning \"ha_sendquiet: BEGIN, this router is made again from the active's export\"\n")
# Whatever cuts this off: the next start finds this mark and makes the router reachable again.
:set first ($first . ":do {/system scheduler add name=\"ha_quiet\" comment=\"HA_AUTO\" start-time=startup policy=ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon on-event=\"/import " . $haDir . "HA_quiet-rescue.rsc\"} on-error={}\n")
:set first ($first . ":while (([:len [/interface ethernet find]] < " . $count . ") and (\$tries < 600)) do={:delay 0.1; :set tries (\$tries + 1); /interface ethernet disable [find]}\n")
:set first ($first . "/interface ethernet disable [find]\n/interface ethernet reset-mac-address [find]\n")
:set first ($first . ":execute \"/import " . $haDir . "HA_quiet-second.rsc\"\n")
$haWriteFile fileName="HA_quiet-first" fileText=$first
# Second: the active's configuration, then this router's own startup. The HA port is off meanwhile, since the active's HA
# address is part of it. Counts tell whether all of it was taken.
:global haCertCount 0
:if ([:len [/certificate find]] > 0) do={ /system script run ha_sendcerts }
:local second ":local whole true\n"
:if ($haCertCount > 0) do={
  # by number: what an earlier push left there is none of these
  :set second ($second . ":for i from=0 to=" . ($haCertCount - 1) . " do={:do {/import (\"" . $haDir . "HA_quiet-cert-\" . \$i . \".rsc\")} on-error={:set whole false; /log error \"ha_sendquiet: a certificate was refused\"}}\n")
}
:set second ($second . ":do {/import " . $haDir . "HA_quiet.rsc} on-error={:set whole false; /log error \"ha_sendquiet: a line of the active's export was refused\"}\n")
:set second ($second . "/interface ethernet disable [find]\n/interface ethernet reset-mac-address [find]\n/interface bonding disable [find comment!=\"HA_RESCUE\"]\n")
:foreach menu in={"/ip address";"/ip route";"/ip firewall filter";"/ip firewall nat";"/ip firewall raw";"/interface bridge";"/interface bridge port";"/interface bonding";"/interface list member";"/system script";"/system scheduler";"/ppp secret"} do={
  :local parts [:parse ":return [:len [$menu find where !dynamic]]"]
  :local number -1
  :do { :set number [$parts] } on-error={
    :set parts [:parse ":return [:len [$menu find]]"]
    :do { :set number [$parts] } on-error={}
  }
  # the mark
  :if ($menu = "/system scheduler") do={ :set number ($number + 1) }
  :if ($number > 0) do={
    :set second ($second . ":if ([:len [" . $menu . " find]] < " . $number . ") do={:set whole false; /log error \"ha_sendquiet: of " . $number . " items of " . $menu . " some are missing\"}\n")
  }
}
# What is missing of an item, or is there too, shows in the length of the export, of its comment lines apart where it can be read.
:set second ($second . ":if (\$whole) do={:global haMeasure \"none\"; :do {/system script run ha_measure} on-error={}; :if (\$haMeasure != " . $haMeasure . ") do={:set whole false; /log error (\"ha_sendquiet: the export has \" . \$haMeasure . \" bytes, the active's " . $haMeasure . "\")}}\n")
:set second ($second . ":if (!\$whole) do={\n/log error \"ha_sendquiet: the active's configuration was not taken whole\"\n")
:set second ($second . "/file remove [find name=\"" . $haDir . "HA_run-after-hastartup.rsc\"]\n")
:local secret [$haSecret]
:set second ($second . ":if ([:len [/ppp secret find name=\"HA_PASSWORD\"]] = 0) do={/ppp secret add name=\"HA_PASSWORD\" password=\"" . $secret . "\" disabled=yes comment=\"HA_AUTO\"}\n")
:set second ($second . ":if ([:len [/system script find name=\"ha_startup\"]] = 0) do={/system script remove [find]; /import " . $haDir . "HA_scripts.rsc}\n}\n")
:set second ($second . "/system scheduler remove [find name=\"ha_quiet\"]\n")
:set second ($second . ":global haAllowBootstrap true\n/system script run ha_startup\n")
$haWriteFile fileName="HA_quiet-second" fileText=$second
# A start that finds the mark, and nothing of the sync in its log: no data port, the HA port with its address, ready for the
# next push. What there is of the active's configuration has no version and is not started.
:local rescue ":if ([:len [/log find buffer=\"memory\" message~\"ha_sendquiet: BEGIN\"]] = 0) do={\n"
:set rescue ($rescue . "/interface ethernet disable [find]\n/interface ethernet reset-mac-address [find]\n")
# Each step for itself: whatever is refused, the HA port must come up at the end. (Where there is a fasttrack rule the filter has
# a rule of the system's own, and "disable [find]" is refused for it, on every version that has fasttrack.)
:foreach step in={"/system scheduler remove [find name!=\"ha_quiet\"]";"/system script remove [find]";"/interface vrrp remove [find name=\"HA_VRRP\"]";"/ip address remove [find comment=\"HA_AUTO\"]";"/ip firewall filter disable [find where !dynamic]";"/tool mac-server set allowed-interface-list=all"} do={
  :set rescue ($rescue . ":do {" . $step . "} on-error={}\n")
}
:set rescue ($rescue . ":do {/interface bridge port remove [find interface=\"" . $haInterface . "\"]} on-error={}\n")
:set rescue ($rescue . ":do {:if ([:len [/ip address find interface=\"" . $haInterface . "\"]] = 0) do={/ip address add address=\"" . $haAddressOther . "/24\" interface=\"" . $haInterface . "\"}} on-error={}\n")
:set rescue ($rescue . ":do {/ip service set [:pick [/ip service find name=\"ftp\"] 0] disabled=no} on-error={}\n")
:set rescue ($rescue . "/interface ethernet enable [find default-name=\"" . $haInterface . "\"]\n")
:set rescue ($rescue . "/file remove [find name~\"^(flash/)*HA_(scripts|key_|quiet[.]|quiet-(all|part|cert|first|second|go))\"]\n")
:set rescue ($rescue . "/log error \"ha_sendquiet: the sync was cut off; this router waits for the next one, data ports closed\"\n}\n")
$haWriteFile fileName="HA_quiet-rescue" fileText=$rescue
:local guard ("[:tostr [/interface ethernet get [find default-name=\"" . $haInterface . "\"] orig-mac-address]] = \"" . $haMacOther . "\"")
:local date [/system clock get date]
:local time [/system clock get time]
:local go ("/system clock set date=" . $date . " time=" . $time . "\n:delay 2\n")
# Which version it is, said by the standby's own line that makes it so, and by nothing before.
:local claim ("/file set [find name=\"" . $haDir . "HA_run-after-hastartup.rsc\"] contents=" . [$haQuote text=(":global haConfigVer " . [$haQuote text=$haMasterConfigVer])])
:set claim (":do {" . $claim . "} on-error={}")
# a reset without its scripts would leave a router that nobody reaches
:set guard ($guard . " and [:len [/file find name~\"^" . $haDir . "HA_quiet(-first|-second|-rescue)*[.]rsc\"]] = 4")
:set go ($go . ":if (" . $guard . ") do={" . $claim . "; /system reset-configuration no-defaults=yes keep-users=yes skip-backup=yes run-after-reset=" . $haDir . "HA_quiet-first.rsc}\n")
$haWriteFile fileName="HA_quiet-go" fileText=($go . $haPadding)
$haUpload fileFrom="HA_quiet-all.rsc" fileTo=($haDir . "HA_quiet.rsc")
$haUpload fileFrom="HA_scripts.rsc" fileTo=($haDir . "HA_scripts.rsc")
$haUpload fileFrom="HA_quiet-first.txt" fileTo=($haDir . "HA_quiet-first.rsc")
$haUpload fileFrom="HA_quiet-second.txt" fileTo=($haDir . "HA_quiet-second.rsc")
$haUpload fileFrom="HA_quiet-rescue.txt" fileTo=($haDir . "HA_quiet-rescue.rsc")
:local sent [$haUploadLast fileFrom="HA_quiet-go.txt" fileTo="HA_quiet-go.auto.rsc"]
:if (!$sent) do={
  :set haPushWhy "the standby is there and does not take the last file"
  :error "ha_sendquiet: $haPushWhy"
}
