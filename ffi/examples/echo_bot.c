/*
 * An echo bot: a whole client in one file, on libstrophe (0.12 or newer) and omemo.
 *
 *     cc -std=c11 echo_bot.c $(pkg-config --cflags --libs omemo libstrophe) -o echo_bot
 *     OMEMO_PASSWORD=secret ./echo_bot bot@example.org bot.sqlite [HOST PORT [CA_FILE]]
 *
 * It answers each encrypted message with "echo: " and the same text, encrypted, until SIGTERM or SIGINT. It may be killed at
 * any moment: started again, it answers what is left, and nothing twice.
 *
 * Whatever arrives goes to omemo_account_receive, and whatever a call returns goes through obey(). The rest is what any client
 * has to do anyway, and what makes the promise above come true:
 *
 *   - a message is acknowledged when its answer is sealed, and the answer's id is made from the message's;
 *   - a stanza is noted as sent when the server is known to have read it;
 *   - what arrived in the meantime is read from the archive.
 *
 * Licence: MIT or Apache-2.0.
 */

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <omemo.h>
#include <strophe.h>

#define ECHO "echo: "
#define NAME "Echo bot"
#define NODE "https://example.org/echo_bot"
#define NS_CAPS "http://jabber.org/protocol/caps"
#define NS_MAM "urn:xmpp:mam:2"
#define NS_PING "urn:xmpp:ping"
#define NS_RSM "http://jabber.org/protocol/rsm"
#define NS_SID "urn:xmpp:sid:0"

/* Features of ours and of omemo together. */
#define MAX_FEATURES 16
/* Stanzas that may be on their way at once; more are handed out again with the next stream. */
#define MAX_TICKETS 256

typedef struct {
    xmpp_ctx_t *ctx;
    xmpp_conn_t *conn;
    omemo_account *account;
    bool running, failed;
    /* When omemo_account_tick is due, in seconds since 1970. */
    int64_t wake;
    /* What we can do, sorted, and its hash. */
    const char *features[MAX_FEATURES];
    size_t feature_count;
    char *ver;
    /* Stanzas that the server may not have read yet; so many of them were sent before the ping with that id. */
    uint64_t tickets[MAX_TICKETS];
    size_t ticket_count, pinged;
    char *ping_id;
    /* The page of the archive that is on its way, and up to where it was read: not marked on the first start. */
    char *archive_id;
    char mark_file[1024], mark[256];
    bool marked;
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

static bool is(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* --- What omemo hands back ----------------------------------------------------------------------------------------------- */

static void take_event(Bot *bot, const omemo_event *event);
static void ping(Bot *bot);

/*
 * Does what a call says: sends its stanzas, takes its events, and frees it. The output comes by its address, since C may look
 * at arguments in any order. Returns whether a stanza that was handed in is dealt with.
 */
static bool obey(Bot *bot, omemo_status status, omemo_output **output)
{
    if (status == OMEMO_NOT_XML)
        return false;
    if (status != OMEMO_OK) {
        /* The store, mostly. What was not taken is still in the archive, what was not sent in the outbox: nothing is lost by
         * ending here and starting again when the cause is gone. */
        char sentence[512];
        omemo_last_error(bot->account, sentence, sizeof sentence);
        fail(bot, sentence);
        return true;
    }
    /* Before the events: their calls have newer outputs, and only the newest one's time counts. */
    if (!omemo_output_wake(*output, &bot->wake))
        bot->wake = INT64_MAX;
    const omemo_stanza *stanza;
    while ((stanza = omemo_output_next_stanza(*output)) != NULL) {
        const char *xml = omemo_stanza_xml(stanza);
        xmpp_send_raw(bot->conn, xml, strlen(xml));
        if (bot->ticket_count < MAX_TICKETS && omemo_stanza_ticket(stanza, &bot->tickets[bot->ticket_count]))
            bot->ticket_count++;
    }
    ping(bot);
    const omemo_event *event;
    while ((event = omemo_output_next_event(*output)) != NULL)
        take_event(bot, event);
    bool consumed = omemo_output_consumed(*output);
    omemo_output_free(output);
    return consumed;
}

static void acknowledge(Bot *bot, uint64_t inbox_id)
{
    if (omemo_account_acknowledge(bot->account, &inbox_id, 1) != OMEMO_OK)
        fail(bot, "a message could not be acknowledged");
}

/* May be called for a message that was answered before: of two sends with the same id the second does nothing. */
static void answer(Bot *bot, const omemo_message *message)
{
    uint64_t inbox_id = omemo_message_inbox_id(message);
    const char *from = omemo_message_from(message);
    const char *body = omemo_message_body(message);
    /* Our other devices' messages, those without a text, and answers are not answered. */
    if (is(from, omemo_account_jid(bot->account)) || body == NULL || strncmp(body, ECHO, strlen(ECHO)) == 0) {
        acknowledge(bot, inbox_id);
        return;
    }
    char *text = (char *)malloc(strlen(ECHO) + strlen(body) + 1);
    if (text == NULL) {
        fail(bot, "out of memory");
        return;
    }
    strcpy(text, ECHO);
    strcat(text, body);
    char id[32];
    snprintf(id, sizeof id, "echo-%" PRIu64, inbox_id);
    omemo_output *output = NULL;
    omemo_status status = omemo_account_send_text(bot->account, id, from, text, &output);
    free(text);
    if (status == OMEMO_BAD_MESSAGE)
        acknowledge(bot, inbox_id); /* too long, now that "echo: " stands before it */
    else
        obey(bot, status, &output);
}

/* Programs read what is printed here; an app shows it to people. */
static void take_event(Bot *bot, const omemo_event *event)
{
    const omemo_message *message = omemo_event_message(event);
    uint64_t inbox_id;
    switch (omemo_event_kind_of(event)) {
    case OMEMO_EVENT_PUBLISHED: /* in each stream, once a protocol: from now on others can write to us */
        printf("{\"event\": \"published\", \"protocol\": %d, \"device\": %" PRIu32 ", \"fingerprint\": \"%s\"}\n",
               (int)omemo_event_protocol(event), omemo_account_device(bot->account),
               omemo_account_fingerprint(bot->account));
        break;
    case OMEMO_EVENT_MESSAGE:
        printf("{\"event\": \"message\", \"inbox\": %" PRIu64 ", \"device\": %" PRIu32 ", \"protocol\": %d}\n",
               omemo_message_inbox_id(message), omemo_message_device(message), (int)omemo_message_protocol(message));
        answer(bot, message);
        break;
    case OMEMO_EVENT_UNDECRYPTABLE:
        printf("{\"event\": \"undecryptable\", \"device\": %" PRIu32 ", \"reason\": %d}\n", omemo_event_device(event),
               (int)omemo_event_reason(event));
        break;
    case OMEMO_EVENT_SEALED: /* the answer is in the outbox; one that still waits for keys would be forgotten by a crash */
    case OMEMO_EVENT_REFUSED: /* no device of the other side may or can read it */
        if (sscanf(omemo_event_id(event), "echo-%" SCNu64, &inbox_id) == 1)
            acknowledge(bot, inbox_id);
        break;
    default:
        if (omemo_event_text(event) != NULL)
            fprintf(stderr, "echo_bot: %s\n", omemo_event_text(event));
        break;
    }
    fflush(stdout);
}

/* --- What the server has read -------------------------------------------------------------------------------------------- */

/*
 * libstrophe does not tell which stanzas stream management (XEP-0198) has acknowledged. So we ping the server (XEP-0199) after
 * them: it reads in order, and its answer, of whatever kind, proves that it has read them.
 */
static void ping(Bot *bot)
{
    if (bot->ping_id != NULL || bot->ticket_count == 0)
        return;
    bot->pinged = bot->ticket_count;
    bot->ping_id = xmpp_uuid_gen(bot->ctx); /* nobody else can know it, so that nobody else can answer */
    char *domain = xmpp_jid_domain(bot->ctx, omemo_account_jid(bot->account));
    xmpp_send_raw_string(bot->conn, "<iq type='get' id='%s' to='%s'><ping xmlns='" NS_PING "'/></iq>", bot->ping_id, domain);
    xmpp_free(bot->ctx, domain);
}

static void take_pong(Bot *bot)
{
    if (omemo_account_sent(bot->account, bot->tickets, bot->pinged) != OMEMO_OK)
        fail(bot, "stanzas could not be noted as sent");
    bot->ticket_count -= bot->pinged;
    memmove(bot->tickets, bot->tickets + bot->pinged, bot->ticket_count * sizeof bot->tickets[0]);
    xmpp_free(bot->ctx, bot->ping_id);
    bot->ping_id = NULL;
    ping(bot);
}

/* --- What came while we were away (XEP-0313) ----------------------------------------------------------------------------- */

static void load_mark(Bot *bot)
{
    FILE *file = fopen(bot->mark_file, "r");
    bot->marked = file != NULL;
    if (file == NULL)
        return;
    bot->mark[fread(bot->mark, 1, sizeof bot->mark - 1, file)] = '\0';
    fclose(file);
}

/* When omemo has everything up to there. A mark that is lost only means that more is read again: omemo knows what it has. */
static void set_mark(Bot *bot, const char *mark)
{
    if (strpbrk(mark, "<>&'\"") != NULL || strlen(mark) >= sizeof bot->mark)
        return; /* no server makes such ones */
    strcpy(bot->mark, mark);
    bot->marked = true;
    FILE *file = fopen(bot->mark_file, "w");
    if (file == NULL || fputs(mark, file) == EOF || fclose(file) == EOF)
        fail(bot, "the mark in the archive could not be kept");
}

/* Asks for a page after the mark. A new device can read nothing older than itself: it only asks for the newest message. */
static void ask_archive(Bot *bot)
{
    char where[300] = "";
    if (!bot->marked)
        strcpy(where, "<before/>");
    else if (bot->mark[0] != '\0')
        snprintf(where, sizeof where, "<after>%s</after>", bot->mark);
    bot->archive_id = xmpp_uuid_gen(bot->ctx);
    xmpp_send_raw_string(bot->conn,
                         "<iq type='set' id='%s'><query xmlns='" NS_MAM "'>"
                         "<set xmlns='" NS_RSM "'><max>%d</max>%s</set></query></iq>",
                         bot->archive_id, bot->marked ? 50 : 1, where);
}

/* The end of a page. Its messages came before it, as stanzas of their own, and omemo has them. */
static void take_page(Bot *bot, xmpp_stanza_t *iq)
{
    xmpp_stanza_t *fin = xmpp_stanza_get_child_by_name_and_ns(iq, "fin", NS_MAM);
    xmpp_stanza_t *set = fin == NULL ? NULL : xmpp_stanza_get_child_by_name_and_ns(fin, "set", NS_RSM);
    xmpp_stanza_t *last = set == NULL ? NULL : xmpp_stanza_get_child_by_name(set, "last");
    char *mark = last == NULL ? NULL : xmpp_stanza_get_text(last);
    /* Without a `fin`, the archive does not know the mark any more: whatever it still has came later. */
    bool lost = fin == NULL && !is(bot->mark, "");
    bool more = mark != NULL && bot->marked && !is(xmpp_stanza_get_attribute(fin, "complete"), "true");
    if (mark != NULL || lost || !bot->marked)
        set_mark(bot, mark != NULL ? mark : "");
    if (mark != NULL)
        xmpp_free(bot->ctx, mark);
    xmpp_free(bot->ctx, bot->archive_id);
    bot->archive_id = NULL;
    omemo_output *output = NULL;
    if (lost || more)
        ask_archive(bot);
    else
        obey(bot, omemo_account_caught_up(bot->account, &output), &output);
}

/* A message that came by itself is the archive's newest, under the id that the archive gave it (XEP-0359). */
static void mark_message(Bot *bot, xmpp_stanza_t *message)
{
    xmpp_stanza_t *child = xmpp_stanza_get_children(message);
    for (; child != NULL; child = xmpp_stanza_get_next(child)) {
        const char *mark = xmpp_stanza_get_attribute(child, "id");
        bool named = is(xmpp_stanza_get_name(child), "stanza-id") && is(xmpp_stanza_get_ns(child), NS_SID);
        if (named && mark != NULL && is(xmpp_stanza_get_attribute(child, "by"), omemo_account_jid(bot->account)))
            set_mark(bot, mark);
    }
}

/* --- What we can do (XEP-0030, XEP-0115): by it the server knows that device lists have to be pushed to us --------------- */

static int by_bytes(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void hash(xmpp_sha1_t *sha1, const char *text)
{
    xmpp_sha1_update(sha1, (const unsigned char *)text, strlen(text));
}

static void collect_features(Bot *bot)
{
    bot->features[bot->feature_count++] = NS_CAPS;
    bot->features[bot->feature_count++] = NS_PING;
    bot->features[bot->feature_count++] = XMPP_NS_DISCO_INFO;
    const char *feature;
    for (size_t i = 0; (feature = omemo_account_feature(bot->account, i)) != NULL && bot->feature_count < MAX_FEATURES; i++)
        bot->features[bot->feature_count++] = feature;
    qsort(bot->features, bot->feature_count, sizeof bot->features[0], by_bytes);

    xmpp_sha1_t *sha1 = xmpp_sha1_new(bot->ctx);
    hash(sha1, "client/bot//" NAME "<");
    for (size_t i = 0; i < bot->feature_count; i++) {
        hash(sha1, bot->features[i]);
        hash(sha1, "<");
    }
    unsigned char digest[XMPP_SHA1_DIGEST_SIZE];
    xmpp_sha1_final(sha1);
    xmpp_sha1_to_digest(sha1, digest);
    xmpp_sha1_free(sha1);
    bot->ver = xmpp_base64_encode(bot->ctx, digest, sizeof digest);
}

/* A new child with an attribute. It belongs to its parent. */
static xmpp_stanza_t *add(xmpp_stanza_t *parent, const char *name, const char *attribute, const char *value)
{
    xmpp_stanza_t *child = xmpp_stanza_new(xmpp_stanza_get_context(parent));
    xmpp_stanza_set_name(child, name);
    xmpp_stanza_set_attribute(child, attribute, value);
    xmpp_stanza_add_child_ex(parent, child, 0);
    return child;
}

/* Each question has to be answered (RFC 6120, 8.2.3), be it with an error. */
static void answer_question(Bot *bot, xmpp_stanza_t *iq)
{
    xmpp_stanza_t *asked = xmpp_stanza_get_child_by_name_and_ns(iq, "query", XMPP_NS_DISCO_INFO);
    xmpp_stanza_t *reply;
    if (asked != NULL) {
        reply = xmpp_stanza_reply(iq);
        xmpp_stanza_set_type(reply, "result");
        xmpp_stanza_t *query = add(reply, "query", "xmlns", XMPP_NS_DISCO_INFO);
        if (xmpp_stanza_get_attribute(asked, "node") != NULL)
            xmpp_stanza_set_attribute(query, "node", xmpp_stanza_get_attribute(asked, "node"));
        xmpp_stanza_t *identity = add(query, "identity", "category", "client");
        xmpp_stanza_set_attribute(identity, "type", "bot");
        xmpp_stanza_set_attribute(identity, "name", NAME);
        for (size_t i = 0; i < bot->feature_count; i++)
            add(query, "feature", "var", bot->features[i]);
    } else if (xmpp_stanza_get_child_by_ns(iq, NS_PING) != NULL) {
        reply = xmpp_stanza_reply(iq);
        xmpp_stanza_set_type(reply, "result");
    } else {
        reply = xmpp_stanza_reply_error(iq, "cancel", "service-unavailable", NULL);
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
    omemo_output *output = NULL;
    bool consumed = obey(bot, omemo_account_receive(bot->account, xml, &output), &output);
    xmpp_free(bot->ctx, xml);
    if (bot->failed)
        return 1;
    const char *id = xmpp_stanza_get_id(stanza), *type = xmpp_stanza_get_type(stanza);
    bool iq = is(xmpp_stanza_get_name(stanza), "iq");
    if (!iq && bot->archive_id == NULL)
        mark_message(bot, stanza);
    else if (iq && is(id, bot->ping_id))
        take_pong(bot);
    else if (iq && is(id, bot->archive_id))
        take_page(bot, stanza);
    else if (iq && !consumed && (is(type, "get") || is(type, "set")))
        answer_question(bot, stanza);
    return 1; /* whatever else is not consumed, a client shows or routes */
}

static void come_online(Bot *bot)
{
    xmpp_handler_add(bot->conn, on_stanza, NULL, NULL, NULL, bot);
    xmpp_send_raw_string(bot->conn, "<presence><c xmlns='" NS_CAPS "' hash='sha-1' node='" NODE "' ver='%s'/></presence>",
                         bot->ver);
    omemo_output *output = NULL;
    obey(bot, omemo_account_online(bot->account, xmpp_conn_get_bound_jid(bot->conn), false, &output), &output);
    ask_archive(bot);
    /* What was decrypted before we died, and not answered. */
    omemo_messages *messages = NULL;
    if (omemo_account_inbox(bot->account, &messages) != OMEMO_OK)
        fail(bot, "the inbox cannot be read");
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

static void run(Bot *bot)
{
    bot->running = true;
    bot->wake = INT64_MAX;
    bool stopping = false;
    while (bot->running) {
        xmpp_run_once(bot->ctx, 500);
        omemo_output *output = NULL;
        if (bot->running && (int64_t)time(NULL) >= bot->wake)
            obey(bot, omemo_account_tick(bot->account, &output), &output);
        if (stop_asked && !stopping) {
            stopping = true;
            xmpp_disconnect(bot->conn); /* and on, until the server has closed the stream, too */
        }
    }
}

int main(int argc, char **argv)
{
    static Bot bot;
    const char *password = getenv("OMEMO_PASSWORD");
    if (argc < 3 || password == NULL) {
        fprintf(stderr, "usage: OMEMO_PASSWORD=... echo_bot JID STORE [HOST PORT [CA_FILE]]\n");
        return 2;
    }
    const char *host = argc > 3 ? argv[3] : NULL;
    unsigned short port = argc > 4 ? (unsigned short)strtoul(argv[4], NULL, 10) : 0;
    omemo_status status = omemo_account_open(argv[2], argv[1], NULL, &bot.account);
    if (status != OMEMO_OK) {
        fprintf(stderr, "echo_bot: %s: %s\n", argv[2], omemo_status_sentence(status));
        return 1;
    }
    snprintf(bot.mark_file, sizeof bot.mark_file, "%s.archive", argv[2]);
    load_mark(&bot);

    xmpp_initialize();
    bot.ctx = xmpp_ctx_new(NULL, NULL);
    bot.conn = xmpp_conn_new(bot.ctx);
    collect_features(&bot);
    /* Without stream management: nobody resumes a stream here, and the server would keep it for that. */
    xmpp_conn_set_flags(bot.conn, XMPP_CONN_FLAG_MANDATORY_TLS | XMPP_CONN_FLAG_DISABLE_SM);
    xmpp_conn_set_jid(bot.conn, argv[1]);
    xmpp_conn_set_pass(bot.conn, password);
    if (argc > 5)
        xmpp_conn_set_cafile(bot.conn, argv[5]);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN); /* libstrophe may write to a connection that the server has closed */
    if (xmpp_connect_client(bot.conn, host, port, on_connection, &bot) == XMPP_EOK)
        run(&bot);
    else
        fail(&bot, "cannot connect");

    xmpp_free(bot.ctx, bot.ver);
    xmpp_free(bot.ctx, bot.ping_id);
    xmpp_free(bot.ctx, bot.archive_id);
    xmpp_conn_release(bot.conn);
    xmpp_ctx_free(bot.ctx);
    xmpp_shutdown();
    omemo_account_free(&bot.account);
    return bot.failed ? 1 : 0;
}
