# What each port said in the active's name between this start and its closing: the window of the startup race, as it was.
# Runs before the MACs are reset. Changes nothing but the file that tells it.
:global haInterface
:global haExposed ""
:if ([:len [/system script find name="ha_service_macs"]] = 1) do={
  /system script run ha_service_macs
  :global haServiceMacs
  :foreach port in=[/interface ethernet find default-name!=$haInterface] do={
    :do {
      :local label [/interface ethernet get $port name]
      :local mac [:tostr [/interface ethernet get $port mac-address]]
      :local sent [/interface get [find name=$label] tx-packet]
      :if (($sent > 0) and ([:typeof [:find $haServiceMacs ("=" . $mac)]] = "num")) do={
        :local since [:tostr [/interface get [find name=$label] last-link-up-time]]
        :local window "unknown"
        # a date and a time: the time is the end of it
        :do { :set window ([/system clock get time] - [:totime [:pick $since ([:len $since] - 8) [:len $since]]]) } on-error={}
        :set haExposed ($haExposed . ", " . $label . " " . $sent . " frames as " . $mac . " in " . [:tostr $window])
      }
    } on-error={}
  }
}
:if ([:len $haExposed] > 0) do={
  :set haExposed [:pick $haExposed 2 [:len $haExposed]]
  /log warning "ha_exposed: before its ports were closed this router spoke for the active: $haExposed"
} else={
  :set haExposed "nothing"
}
