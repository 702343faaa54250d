-- One server of the lab. The words between @ signs are filled in by src/lab/prosody.rs.
run_as_root = true
pidfile = "@DIR@/prosody.pid"
data_path = "@DIR@/data"
storage = "internal"
log = { info = "@DIR@/prosody.log" }
plugin_paths = { "@PLUGINS@" }

-- Names are asked of the lab's own DNS stub only: no query leaves the machine.
unbound = {
	resolvconf = false, hoststxt = false, forward = "@DNS_ADDRESS@@@DNS_PORT@",
	options = { ["local-zone:"] = "localhost. transparent", ["do-not-query-localhost:"] = "no" },
}
use_ipv6 = false
interfaces = { "@ADDRESS@" }
c2s_ports = { @C2S_PORT@ }
c2s_direct_tls_ports = { @TLS_PORT@ }
s2s_ports = { @S2S_PORT@ }
s2s_direct_tls_ports = {}
http_ports = {}
https_ports = {}

modules_enabled = {
	"roster"; "saslauth"; "tls"; "disco"; "carbons"; "pep"; "private"; "blocklist"; "smacks"; "csi_simple"; "mam"; "ping";
	"posix"; "lab_capture";
}
-- A bidirectional stream would hide half of the federation from the test.
modules_disabled = { "s2s_bidi" }
lab_capture_file = "@DIR@/capture"
admin_socket = "@DIR@/prosody.sock"

authentication = "internal_hashed"
allow_registration = false
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = true
ssl = { cafile = "@CERTIFICATES@/ca.crt" }
certificates = "@CERTIFICATES@"
archive_expires_after = "never"

VirtualHost "@DOMAIN@"

-- Rooms, whose archive is kept by the room itself.
Component "rooms.@DOMAIN@" "muc"
modules_enabled = { "muc_mam" }
muc_log_all_rooms = true
