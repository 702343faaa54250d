/* As much of a server as the tests need. It reads our own stanzas, whose shape is known: one element, without comments,
 * with attributes in one kind of quotes. */

#include "world.h"

#include "check.h"

#define PUBSUB "http://jabber.org/protocol/pubsub"

/* What was published. */
struct item {
  char *owner, *node, *id, *payload;
  struct item *next;
};

/* What waits to be delivered. */
struct waiting {
  struct client *to;
  char *stanza;
  struct waiting *next;
};

static struct client *all;
static size_t all_count;
static on_event watcher;
static struct item *items;
static struct waiting *first, **last = &first;

static char *copy(const char *from, size_t length) {
  char *text = malloc(length + 1);
  CHECK(text != NULL);
  memcpy(text, from, length);
  text[length] = '\0';
  return text;
}

/* Puts texts together. */
static char *join(const char *const *parts, size_t count) {
  size_t length = 0;
  for (size_t i = 0; i < count; i++) length += strlen(parts[i]);
  char *text = malloc(length + 1), *end = text;
  CHECK(text != NULL);
  for (size_t i = 0; i < count; i++) {
    size_t part = strlen(parts[i]);
    memcpy(end, parts[i], part);
    end += part;
  }
  *end = '\0';
  return text;
}

#define JOIN(...) \
  join((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* An attribute of the first such element; NULL if it is not there. */
static char *attribute(const char *xml, const char *element, const char *name) {
  char *opening = JOIN("<", element, " ");
  const char *start = strstr(xml, opening);
  free(opening);
  if (start == NULL) return NULL;
  const char *end = strchr(start, '>');
  char *wanted = JOIN(" ", name, "=");
  const char *found = strstr(start, wanted);
  size_t length = strlen(wanted);
  free(wanted);
  if (found == NULL || found > end) return NULL;
  char quote = found[length];
  const char *value = found + length + 1;
  return copy(value, (size_t)(strchr(value, quote) - value));
}

static void deliver(struct client *to, char *stanza) {
  struct waiting *waiting = malloc(sizeof *waiting);
  CHECK(waiting != NULL);
  *waiting = (struct waiting){to, stanza, NULL};
  *last = waiting;
  last = &waiting->next;
}

static void publish(const char *owner, const char *node, const char *stanza) {
  char *id = attribute(stanza, "item", "id");
  const char *item = strstr(stanza, "<item");
  const char *payload = strchr(item, '>') + 1;
  const char *end = strstr(payload, "</item>");
  CHECK(end != NULL);
  struct item **place = &items;
  while (*place != NULL && (strcmp((*place)->owner, owner) != 0 || strcmp((*place)->node, node) != 0 ||
                            strcmp((*place)->id, id) != 0))
    place = &(*place)->next;
  if (*place == NULL) {
    *place = calloc(1, sizeof **place);
    CHECK(*place != NULL);
    (*place)->owner = copy(owner, strlen(owner));
    (*place)->node = copy(node, strlen(node));
    (*place)->id = copy(id, strlen(id));
  }
  free((*place)->payload);
  (*place)->payload = copy(payload, (size_t)(end - payload));
  /* Everybody asked to be told of device lists. */
  for (size_t i = 0; i < all_count && strstr(node, "device") != NULL; i++)
    deliver(&all[i], JOIN("<message xmlns='jabber:client' type='headline' from='", owner, "'><event xmlns='" PUBSUB
                          "#event'><items node='", node, "'><item id='", id, "'>", (*place)->payload,
                          "</item></items></event></message>"));
  free(id);
}

/* The published items of a node, or the one of that id. */
static char *published(const char *owner, const char *node, const char *id) {
  char *found = copy("", 0);
  for (struct item *item = items; item != NULL; item = item->next) {
    if (strcmp(item->owner, owner) != 0 || strcmp(item->node, node) != 0) continue;
    if (id != NULL && strcmp(item->id, id) != 0) continue;
    char *more = JOIN(found, "<item id='", item->id, "'>", item->payload, "</item>");
    free(found);
    found = more;
  }
  return found;
}

static void answer(struct client *client, const char *stanza) {
  char *id = attribute(stanza, "iq", "id");
  char *to = attribute(stanza, "iq", "to");
  char *publishing = attribute(stanza, "publish", "node");
  char *asking = attribute(stanza, "items", "node");
  char *item = attribute(stanza, "item", "id");
  const char *owner = to != NULL ? to : client->jid;
  const char *type = "result";
  char *payload = copy("", 0);
  if (publishing != NULL) {
    publish(owner, publishing, stanza);
  } else if (asking != NULL) {
    char *found = published(owner, asking, item);
    free(payload);
    if (found[0] == '\0') {
      type = "error";
      payload = JOIN("<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
    } else {
      payload = JOIN("<pubsub xmlns='" PUBSUB "'><items node='", asking, "'>", found, "</items></pubsub>");
    }
    free(found);
  }
  deliver(client, JOIN("<iq xmlns='jabber:client' type='", type, "' id='", id, "' from='", owner, "'>", payload, "</iq>"));
  free(payload);
  free(item);
  free(asking);
  free(publishing);
  free(to);
  free(id);
}

static void route(struct client *from, const char *stanza) {
  if (strncmp(stanza, "<iq", 3) == 0) {
    answer(from, stanza);
    return;
  }
  CHECK(strncmp(stanza, "<message", 8) == 0);
  char *to = attribute(stanza, "message", "to");
  CHECK(to != NULL);
  for (size_t i = 0; i < all_count; i++)
    if (strcmp(all[i].jid, to) == 0) deliver(&all[i], JOIN("<message from='", from->full_jid, "'", stanza + 8));
  free(to);
}

/* Sends the stanzas of one output and shows its events. */
static void take(struct client *client, omemo_output **output) {
  const omemo_stanza *stanza;
  while ((stanza = omemo_output_next_stanza(*output)) != NULL) {
    uint64_t ticket;
    route(client, omemo_stanza_xml(stanza));
    if (omemo_stanza_ticket(stanza, &ticket)) IS(OMEMO_OK, omemo_account_sent(client->account, &ticket, 1));
  }
  const omemo_event *event;
  while ((event = omemo_output_next_event(*output)) != NULL)
    if (watcher != NULL) watcher(client, event);
  omemo_output_free(output);
  CHECK(*output == NULL);
}

void world_take(struct client *client, omemo_output **output) {
  take(client, output);
  while (first != NULL) {
    struct waiting *waiting = first;
    first = waiting->next;
    if (first == NULL) last = &first;
    omemo_output *next = NULL;
    IS(OMEMO_OK, omemo_account_receive(waiting->to->account, waiting->stanza, &next));
    take(waiting->to, &next);
    free(waiting->stanza);
    free(waiting);
  }
}

void world_begin(struct client *clients, size_t count, on_event seen) {
  all = clients;
  all_count = count;
  watcher = seen;
  for (size_t i = 0; i < count; i++) {
    omemo_output *output = NULL;
    IS(OMEMO_OK, omemo_account_online(clients[i].account, clients[i].full_jid, false, &output));
    world_take(&clients[i], &output);
    IS(OMEMO_OK, omemo_account_caught_up(clients[i].account, &output));
    world_take(&clients[i], &output);
  }
}

void world_end(void) {
  while (items != NULL) {
    struct item *item = items;
    items = item->next;
    free(item->owner);
    free(item->node);
    free(item->id);
    free(item->payload);
    free(item);
  }
}
