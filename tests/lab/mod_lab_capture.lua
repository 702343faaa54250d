-- Writes every stanza that a server of the lab reads or writes to one file: what the server, and whoever breaks
-- into it, could see. One stanza a line: direction, kind of session, other side, XML.
module:set_global();

local filters = require "util.filters";

local file = assert(io.open(module:get_option_string("lab_capture_file"), "a"));

local function capture(direction)
	return function (stanza, session)
		if type(stanza) == "table" and stanza.name then
			local xml = tostring(stanza):gsub("[\r\n]", "&#10;");
			local peer = session.full_jid or session.from_host or session.to_host or "-";
			file:write(direction, "\t", session.type or "-", "\t", peer, "\t", xml, "\n");
			file:flush();
		end
		return stanza;
	end
end

local capture_in, capture_out = capture("in"), capture("out");

local function watch(session)
	filters.add_filter(session, "stanzas/in", capture_in, -10000);
	filters.add_filter(session, "stanzas/out", capture_out, 10000);
end

filters.add_filter_hook(watch);

function module.unload()
	filters.remove_filter_hook(watch);
	file:close();
end
