/*
 * An echo bot: a whole client in one file, on libstrophe (0.12 or newer) and omemo.
 *
 *     cc -std=c11 echo_bot.c $(pkg-config --cflags --libs omemo libstrophe) -o echo_bot
 *     OMEMO_PASSWORD=secret ./echo_bot bot@example.org bot.sqlite [HOST PORT [CA_FILE]]
 *
 * It answers each encrypted message with "echo: " and the same text, encrypted, until SIGTERM or SIGINT. It may be killed at
 * any moment: started again, it answers what is left, and nothing twice.
 *
 * Whatever arrives goes to omemo_account_receive, and whatever a call returns goes through obey(). The rest any client has to
 * do anyway, or it keeps that promise: a message is acknowledged when its answer is sealed, and the answer's id made from the
 * message's; a stanza is noted as sent when the server is known to have read it; what came in the meantime the archive has.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <omemo.h>
#include <strophe.h>

#define ECHO "echo: "
#define NODE "https://example.org/echo_bot"
#define NS_CAPS "http://jabber.org/protocol/caps"
#define NS_MAM "urn:xmpp:mam:2"
#define NS_RSM "http://jabber.org/protocol/rsm"
/* Stanzas that may be on their way at once; more are handed out again with the next stream. */
#define MAX_TICKETS 256

typedef struct {
    xmpp_ctx_t *ctx;
    xmpp_conn_t *conn;
    omemo_account *account;
    omemo_output *output; /* of the last call, for obey() */
    bool running, failed;
    int64_t wake; /* when omemo_account_tick is due, in seconds since 1970 */
    /* What we can do, as XML, and its hash. */
    char disco[2048], *ver;
    /* Stanzas that the server may not have read yet; so many of them were sent before the ping. */
    uint64_t tickets[MAX_TICKETS];
    size_t ticket_count, pinged;
    bool pinging;
    /* The newest message that was read in the archive; empty for none. */
    char mark[256], mark_file[1024];
    bool reading;
    /* The ids of our own questions: nobody else can know them, so that nobody else can answer. */
    char *ping_id, *archive_id;
} Bot;

static volatile sig_atomic_t stop_asked = 0;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static void fail(Bot *bot, const char *what)
{
    fprintf(stderr, "echo_bot: %s\n", what);
    bot->failed = true;
    bot->running = false;
}

/* A failure of omemo is one of the store, mostly. What was not taken is still in the archive, what was not sent in the outbox:
 * nothing is lost by ending here and starting again when the cause is gone. */
static bool ok(Bot *bot, omemo_status status)
{
    char sentence[512];
    if (status == OMEMO_OK)
        return true;
    omemo_last_error(bot->account, sentence, sizeof sentence);
    fail(bot, sentence);
    return false;
}

static bool is(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* --- What the server has read --------------------------------------------------------------------------------------------
 * libstrophe does not tell which stanzas stream management (XEP-0198) has acknowledged. So we ping the server (XEP-0199) after
 * them: it reads in order, and its answer, of whatever kind, proves that it has read them. */
static void ping(Bot *bot)
{
    if (bot->pinging || bot->ticket_count == 0)
        return;
    bot->pinged = bot->ticket_count;
    bot->pinging = true;
    xmpp_send_raw_string(bot->conn, "<iq type='get' id='%s'><ping xmlns='urn:xmpp:ping'/></iq>", bot->ping_id);
}

static void take_pong(Bot *bot)
{
    ok(bot, omemo_account_sent(bot->account, bot->tickets, bot->pinged));
    bot->ticket_count -= bot->pinged;
    memmove(bot->tickets, bot->tickets + bot->pinged, bot->ticket_count * sizeof bot->tickets[0]);
    bot->pinging = false;
    ping(bot);
}

/* --- What omemo hands back ----------------------------------------------------------------------------------------------- */
static void take_event(Bot *bot, const omemo_event *event);

/* Does what a call says: sends its stanzas and takes its events, which leads to calls with outputs of their own. Returns
 * whether a stanza that was handed in is dealt with. */
static bool obey(Bot *bot, omemo_status status)
{
    omemo_output *output = bot->output;
    bot->output = NULL;
    if (status == OMEMO_NOT_XML || !ok(bot, status))
        return false;
    /* Before the events: their calls have newer outputs, and only the newest one's time counts. */
    if (!omemo_output_wake(output, &bot->wake))
        bot->wake = INT64_MAX;
    const omemo_stanza *stanza;
    while ((stanza = omemo_output_next_stanza(output)) != NULL) {
        xmpp_send_raw_string(bot->conn, "%s", omemo_stanza_xml(stanza));
        if (bot->ticket_count < MAX_TICKETS && omemo_stanza_ticket(stanza, &bot->tickets[bot->ticket_count]))
            bot->ticket_count++;
    }
    ping(bot);
    const omemo_event *event;
    while ((event = omemo_output_next_event(output)) != NULL)
        take_event(bot, event);
    bool consumed = omemo_output_consumed(output);
    omemo_output_free(&output);
    return consumed;
}

/* May be called for a message that was answered before: of two sends with the same id the second does nothing. */
static void answer(Bot *bot, const omemo_message *message)
{
    uint64_t inbox_id = omemo_message_inbox_id(message);
    const char *from = omemo_message_from(message);
    const char *body = omemo_message_body(message);
    char id[32], *text;
    /* Our other devices' messages, those without a text, and answers are not answered. */
    if (is(from, omemo_account_jid(bot->account)) || body == NULL || strncmp(body, ECHO, strlen(ECHO)) == 0) {
        ok(bot, omemo_account_acknowledge(bot->account, &inbox_id, 1));
    } else if ((text = (char *)malloc(sizeof ECHO + strlen(body))) == NULL) {
        fail(bot, "out of memory");
    } else {
        strcat(strcpy(text, ECHO), body);
        snprintf(id, sizeof id, "echo-%" PRIu64, inbox_id);
        omemo_status status = omemo_account_send_text(bot->account, id, from, text, &bot->output);
        free(text);
        if (status == OMEMO_BAD_MESSAGE) /* too long, now that "echo: " stands before it */
            ok(bot, omemo_account_acknowledge(bot->account, &inbox_id, 1));
        else
            obey(bot, status);
    }
}

/* Programs read what is printed here; an app shows it to people. */
static void take_event(Bot *bot, const omemo_event *event)
{
    const omemo_message *message = omemo_event_message(event);
    uint64_t inbox_id;
    switch (omemo_event_kind_of(event)) {
    case OMEMO_EVENT_PUBLISHED: /* in each stream, once a protocol: from now on others can write to us */
        printf("{\"event\": \"published\", \"protocol\": %d, \"device\": %" PRIu32 ", \"fingerprint\": \"%s\"}\n",
               (int)omemo_event_protocol(event), omemo_account_device(bot->account), omemo_account_fingerprint(bot->account));
        break;
    case OMEMO_EVENT_MESSAGE:
        printf("{\"event\": \"message\", \"inbox\": %" PRIu64 ", \"device\": %" PRIu32 ", \"protocol\": %d}\n",
               omemo_message_inbox_id(message), omemo_message_device(message), (int)omemo_message_protocol(message));
        answer(bot, message);
        break;
    case OMEMO_EVENT_SEALED: /* the answer is in the outbox; one that still waits for keys would be forgotten by a crash */
    case OMEMO_EVENT_REFUSED: /* no device of the other side may or can read it */
        if (sscanf(omemo_event_id(event), "echo-%" SCNu64, &inbox_id) == 1)
            ok(bot, omemo_account_acknowledge(bot->account, &inbox_id, 1));
        break;
    default:
        if (omemo_event_text(event) != NULL)
            fprintf(stderr, "echo_bot: %s\n", omemo_event_text(event));
        break;
    }
    fflush(stdout);
}

/* --- What came while we were away (XEP-0313) -----------------------------------------------------------------------------
 * A mark is set when omemo has everything up to there. */
static void set_mark(Bot *bot, const char *mark)
{
    snprintf(bot->mark, sizeof bot->mark, "%s", mark);
    FILE *file = fopen(bot->mark_file, "w");
    if (file == NULL || fputs(mark, file) == EOF || fclose(file) == EOF)
        fail(bot, "the mark in the archive cannot be kept");
}

/* Asks for a page after the mark; for the newest one where there is none, which is enough for a new device. What is read twice
 * does no harm: omemo knows what it has. */
static void ask_archive(Bot *bot)
{
    char where[300] = "<before/>";
    if (bot->mark[0] != '\0')
        snprintf(where, sizeof where, "<after>%s</after>", bot->mark);
    bot->reading = true;
    xmpp_send_raw_string(bot->conn,
                         "<iq type='set' id='%s'><query xmlns='" NS_MAM "'>"
                         "<set xmlns='" NS_RSM "'><max>50</max>%s</set></query></iq>", bot->archive_id, where);
}

/* The end of a page. Its messages came before it, as stanzas of their own, and omemo has them. */
static void take_page(Bot *bot, xmpp_stanza_t *iq)
{
    xmpp_stanza_t *fin = xmpp_stanza_get_child_by_name_and_ns(iq, "fin", NS_MAM);
    xmpp_stanza_t *last = xmpp_stanza_get_child_by_path(iq, "iq", XMPP_STANZA_NAME_IN_NS("fin", NS_MAM),
                                                        XMPP_STANZA_NAME_IN_NS("set", NS_RSM), "last", NULL);
    xmpp_stanza_t *text = last == NULL ? NULL : xmpp_stanza_get_children(last);
    const char *mark = text == NULL ? NULL : xmpp_stanza_get_text_ptr(text);
    bool more = bot->mark[0] != '\0' && (fin == NULL || !is(xmpp_stanza_get_attribute(fin, "complete"), "true"));
    if (mark != NULL || fin == NULL)
        set_mark(bot, mark != NULL ? mark : ""); /* without a `fin`, the mark is too old for the archive */
    bot->reading = false;
    if (more)
        ask_archive(bot);
    else
        obey(bot, omemo_account_caught_up(bot->account, &bot->output));
}

/* A message that came by itself is the archive's newest, under the id that the archive gave it (XEP-0359). */
static void mark_message(Bot *bot, xmpp_stanza_t *message)
{
    xmpp_stanza_t *named = xmpp_stanza_get_child_by_name_and_ns(message, "stanza-id", "urn:xmpp:sid:0");
    const char *mark = named == NULL ? NULL : xmpp_stanza_get_attribute(named, "id");
    if (mark != NULL && is(xmpp_stanza_get_attribute(named, "by"), omemo_account_jid(bot->account)))
        set_mark(bot, mark);
}

/* --- What we can do (XEP-0030, XEP-0115): by it the server knows that device lists have to be pushed to us --------------- */
static int by_bytes(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void append(char *buffer, size_t size, const char *before, const char *text, const char *after)
{
    size_t used = strlen(buffer);
    snprintf(buffer + used, size - used, "%s%s%s", before, text, after);
}

static void describe(Bot *bot)
{
    const char *features[16] = {NS_CAPS, XMPP_NS_DISCO_INFO};
    size_t count = 2;
    while (count < 16 && (features[count] = omemo_account_feature(bot->account, count - 2)) != NULL)
        count++;
    qsort(features, count, sizeof features[0], by_bytes);
    char hashed[1024] = "client/bot//<";
    append(bot->disco, sizeof bot->disco, "<query xmlns='", XMPP_NS_DISCO_INFO, "'><identity category='client' type='bot'/>");
    for (size_t i = 0; i < count; i++) {
        append(hashed, sizeof hashed, "", features[i], "<");
        append(bot->disco, sizeof bot->disco, "<feature var='", features[i], "'/>");
    }
    append(bot->disco, sizeof bot->disco, "", "", "</query>");
    unsigned char digest[XMPP_SHA1_DIGEST_SIZE];
    xmpp_sha1_digest((const unsigned char *)hashed, strlen(hashed), digest);
    bot->ver = xmpp_base64_encode(bot->ctx, digest, sizeof digest);
}

/* Each question has to be answered (RFC 6120, 8.2.3), be it with an error. */
static void answer_question(Bot *bot, xmpp_stanza_t *iq)
{
    xmpp_stanza_t *asked = xmpp_stanza_get_child_by_name_and_ns(iq, "query", XMPP_NS_DISCO_INFO);
    xmpp_stanza_t *reply = asked != NULL ? xmpp_stanza_reply(iq)
                                         : xmpp_stanza_reply_error(iq, "cancel", "service-unavailable", NULL);
    if (asked != NULL) {
        xmpp_stanza_t *query = xmpp_stanza_new_from_string(bot->ctx, bot->disco);
        if (xmpp_stanza_get_attribute(asked, "node") != NULL)
            xmpp_stanza_set_attribute(query, "node", xmpp_stanza_get_attribute(asked, "node"));
        xmpp_stanza_add_child_ex(reply, query, 0);
        xmpp_stanza_set_type(reply, "result");
    }
    xmpp_send(bot->conn, reply);
    xmpp_stanza_release(reply);
}

/* --- The stream ---------------------------------------------------------------------------------------------------------- */
static int on_stanza(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *userdata)
{
    (void)conn;
    Bot *bot = (Bot *)userdata;
    char *xml;
    size_t length;
    if (xmpp_stanza_to_text(stanza, &xml, &length) != XMPP_EOK) {
        fail(bot, "out of memory");
        return 1;
    }
    bool consumed = obey(bot, omemo_account_receive(bot->account, xml, &bot->output));
    xmpp_free(bot->ctx, xml);
    if (bot->failed)
        return 1;
    const char *id = xmpp_stanza_get_id(stanza);
    bool iq = is(xmpp_stanza_get_name(stanza), "iq");
    bool question = is(xmpp_stanza_get_type(stanza), "get") || is(xmpp_stanza_get_type(stanza), "set");
    if (iq && question && !consumed)
        answer_question(bot, stanza);
    else if (iq && !question && bot->pinging && is(id, bot->ping_id))
        take_pong(bot);
    else if (iq && !question && bot->reading && is(id, bot->archive_id))
        take_page(bot, stanza);
    else if (!iq && !bot->reading)
        mark_message(bot, stanza);
    return 1; /* whatever else is not consumed, a client shows or routes */
}

static void come_online(Bot *bot)
{
    xmpp_handler_add(bot->conn, on_stanza, NULL, NULL, NULL, bot);
    xmpp_send_raw_string(bot->conn, "<presence><c xmlns='" NS_CAPS "' node='" NODE "' hash='sha-1' ver='%s'/></presence>",
                         bot->ver);
    obey(bot, omemo_account_online(bot->account, xmpp_conn_get_bound_jid(bot->conn), false, &bot->output));
    ask_archive(bot);
    /* What was decrypted before we died, and not answered. */
    omemo_messages *messages = NULL;
    ok(bot, omemo_account_inbox(bot->account, &messages));
    const omemo_message *message;
    for (size_t i = 0; (message = omemo_messages_get(messages, i)) != NULL; i++)
        answer(bot, message);
    omemo_messages_free(&messages);
}

static void on_connection(xmpp_conn_t *conn, xmpp_conn_event_t event, int error, xmpp_stream_error_t *stream, void *userdata)
{
    (void)conn, (void)error, (void)stream;
    Bot *bot = (Bot *)userdata;
    if (event == XMPP_CONN_CONNECT) {
        come_online(bot);
        return;
    }
    omemo_account_offline(bot->account);
    if (!stop_asked)
        fail(bot, "the connection is gone"); /* a client connects again, and calls omemo_account_online once more */
    bot->running = false;
}

int main(int argc, char **argv)
{
    static Bot bot;
    const char *password = getenv("OMEMO_PASSWORD");
    if (argc < 3 || password == NULL) {
        fprintf(stderr, "usage: OMEMO_PASSWORD=... echo_bot JID STORE [HOST PORT [CA_FILE]]\n");
        return 2;
    }
    unsigned short port = argc > 4 ? (unsigned short)strtoul(argv[4], NULL, 10) : 0;
    if (!ok(&bot, omemo_account_open(argv[2], argv[1], NULL, &bot.account)))
        return 1;
    snprintf(bot.mark_file, sizeof bot.mark_file, "%s.archive", argv[2]);
    FILE *file = fopen(bot.mark_file, "r");
    if (file != NULL) {
        bot.mark[fread(bot.mark, 1, sizeof bot.mark - 1, file)] = '\0';
        fclose(file);
    }
    xmpp_initialize();
    bot.ctx = xmpp_ctx_new(NULL, NULL);
    bot.conn = xmpp_conn_new(bot.ctx);
    describe(&bot);
    /* Without stream management: nobody resumes a stream here, and the server would keep it for that. */
    xmpp_conn_set_flags(bot.conn, XMPP_CONN_FLAG_MANDATORY_TLS | XMPP_CONN_FLAG_DISABLE_SM);
    xmpp_conn_set_jid(bot.conn, argv[1]);
    xmpp_conn_set_pass(bot.conn, password);
    if (argc > 5)
        xmpp_conn_set_cafile(bot.conn, argv[5]);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN); /* libstrophe may write to a connection that the server has closed */
    bot.ping_id = xmpp_uuid_gen(bot.ctx);
    bot.archive_id = xmpp_uuid_gen(bot.ctx);
    bot.wake = INT64_MAX;
    bot.running = true;
    if (xmpp_connect_client(bot.conn, argc > 3 ? argv[3] : NULL, port, on_connection, &bot) != XMPP_EOK)
        fail(&bot, "cannot connect");
    while (bot.running) {
        xmpp_run_once(bot.ctx, 500);
        if (bot.running && (int64_t)time(NULL) >= bot.wake)
            obey(&bot, omemo_account_tick(bot.account, &bot.output));
        if (stop_asked == 1) {
            stop_asked = 2;
            xmpp_disconnect(bot.conn); /* and on, until the server has closed the stream, too */
        }
    }
    xmpp_free(bot.ctx, bot.ver);
    xmpp_free(bot.ctx, bot.ping_id);
    xmpp_free(bot.ctx, bot.archive_id);
    xmpp_conn_release(bot.conn);
    xmpp_ctx_free(bot.ctx);
    xmpp_shutdown();
    omemo_account_free(&bot.account);
    return bot.failed ? 1 : 0;
}
