# What the quiet sync can't carry on this router and version. Read it before choosing that way.
:local say do={
  :local count 0
  :do {
    :local asked [:parse (":return [:len [" . $find . "]]")]
    :set count [$asked]
  } on-error={}
  :if ($count > 0) do={ :put ("ha_quietlist: NOT CARRIED: " . $count . " " . $what) }
}
:local users ""
:foreach user in=[/user find] do={
  :if ([/user get $user name] != "ha") do={ :set users ($users . " " . [/user get $user name]) }
}
:put "ha_quietlist: NOT CARRIED: users and their passwords; the standby keeps those it has. Here:$users"
$say find="/user ssh-keys find" what="SSH keys of users"
$say find="/certificate find where fingerprint=\"\"" what="certificate templates that nobody has signed"
$say find="/certificate find where authority=yes" what="memories of certificate authorities: what they have issued and revoked"
$say find="/ip dhcp-server lease find dynamic=yes" what="dynamic DHCP leases"
$say find="/user-manager user find" what="user-manager users"
$say find="/tool user-manager user find" what="user-manager users"
$say find="/container find" what="containers"
# a person reads this before there is a pair
:do { /system script run ha_config } on-error={}
/system script run ha_filelist
:global haFileList
:local rest $haFileList
:while ([:len $rest] > 0) do={
  :local end [:find $rest "\n"]
  :put ("ha_quietlist: " . [:pick $rest 0 $end])
  :set rest [:pick $rest ($end + 1) [:len $rest]]
}
:if ([:len [/certificate find]] > 0) do={ :put "ha_quietlist: carried: signed certificates with their keys; one whose key cannot be exported is named by the log of the push and by HAInSync" }
:if ([:pick [/system resource get version] 0 1] = "6") do={ :put "ha_quietlist: carried: secrets, by the plain export of 6.x" } else={ :put "ha_quietlist: carried: secrets, by export show-sensitive" }
