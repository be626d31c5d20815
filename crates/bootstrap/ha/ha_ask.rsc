# Asks the other router what it is; its answer, or nothing, is in haAnswer.
# Who runs this has run ha_config.
:global haTell
:local ask ":put (\" ros=\" . [/system resource get version] . \"; board=\" . [/system resource get board-name] . \";\")\n"
$haTell text=($ask . ":if ([:len [/system script find name=\"ha_answer\"]] = 1) do={/system script run ha_answer} else={:put \" me=none;\"}\n")
