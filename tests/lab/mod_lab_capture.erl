%% Writes every stanza that the lab's ejabberd reads or writes to one file: what the server, and whoever breaks into it,
%% could see. One stanza a line: direction, kind of session, other side, XML.
-module(mod_lab_capture).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([c2s_in/3, c2s_out/3, s2s_in/3, s2s_out/3]).

-define(HOOKS, [
	{c2s_handle_recv, c2s_in}, {c2s_handle_send, c2s_out},
	{s2s_in_handle_recv, s2s_in}, {s2s_out_handle_send, s2s_out}
]).

start(Host, _) ->
	[ejabberd_hooks:add(Hook, Host, ?MODULE, Function, 1) || {Hook, Function} <- ?HOOKS],
	ok.

stop(Host) ->
	[ejabberd_hooks:delete(Hook, Host, ?MODULE, Function, 1) || {Hook, Function} <- ?HOOKS],
	ok.

reload(_, _, _) -> ok.
depends(_, _) -> [].
mod_opt_type(file) -> econf:binary().
mod_options(_) -> [{file, <<"capture">>}].
mod_doc() -> #{}.

c2s_in(State, Element, _) -> capture("in", "c2s", client(State), Element, State).
c2s_out(State, Packet, _) -> capture("out", "c2s", client(State), Packet, State).
s2s_in(State, Element, _) -> capture("in", "s2sin", server(State), Element, State).
s2s_out(State, Packet, _) -> capture("out", "s2sout", server(State), Packet, State).

client(#{jid := Jid}) -> jid:encode(Jid);
client(_) -> "-".

server(#{remote_server := Server}) -> Server;
server(_) -> "-".

%% What is no stanza belongs to the stream, and an element that could not be read has no name.
capture(Direction, Kind, Peer, Packet, #{lserver := Host} = State) ->
	case catch xmpp:encode(Packet) of
		{xmlel, Name, _, _} = Element when Name == <<"message">>; Name == <<"presence">>; Name == <<"iq">> ->
			Xml = re:replace(fxml:element_to_binary(Element), "[\r\n]", "\\&#10;", [global]),
			File = gen_mod:get_module_opt(Host, ?MODULE, file),
			%% One write a line, each to the end: sessions are processes of their own.
			ok = file:write_file(File, [Direction, $\t, Kind, $\t, Peer, $\t, Xml, $\n], [append]);
		_ -> ok
	end,
	State.
