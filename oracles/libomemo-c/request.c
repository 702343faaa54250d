/* The end of the program and the end of a request; what is read from a request and said in its answer. */

#include "shim.h"

#include <stdarg.h>

bool legacy;
json_object *output;
char last_words[512];

_Noreturn void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

void *checked(void *memory)
{
    if (!memory) die("out of memory");
    return memory;
}

static struct { void (*release)(void *); void *thing; } passing[64];
static size_t passing_count;

void *later(void (*release)(void *), void *thing)
{
    if (passing_count == sizeof passing / sizeof *passing) die("an operation makes too much");
    passing[passing_count].release = release;
    passing[passing_count++].thing = thing;
    return thing;
}

void give_back(void)
{
    while (passing_count > 0) {
        passing_count--;
        passing[passing_count].release(passing[passing_count].thing);
    }
}

void unref(void *instance) { signal_type_unref(instance); }
void free_buffer(void *buffer) { signal_buffer_free(buffer); }

json_object *field(json_object *from, const char *name)
{
    json_object *value;
    if (!json_object_object_get_ex(from, name, &value)) die("the request lacks %s", name);
    return value;
}

uint32_t number(json_object *from, const char *name)
{
    return (uint32_t)json_object_get_int64(field(from, name));
}

const char *text(json_object *from, const char *name)
{
    return json_object_get_string(field(from, name));
}

static uint8_t nibble(char digit)
{
    if (digit >= '0' && digit <= '9') return (uint8_t)(digit - '0');
    if (digit >= 'a' && digit <= 'f') return (uint8_t)(digit - 'a' + 10);
    die("not lowercase hexadecimal: %c", digit);
}

bytes hex(json_object *from, const char *name)
{
    const char *digits = text(from, name);
    size_t len = strlen(digits) / 2;
    if (strlen(digits) % 2) die("half a byte in %s", name);
    bytes value = {later(free, checked(malloc(len + 1))), len};
    for (size_t i = 0; i < len; i++)
        value.data[i] = (uint8_t)(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
    return value;
}

void say(const char *name, const uint8_t *data, size_t len)
{
    char *digits = checked(malloc(2 * len + 1));
    for (size_t i = 0; i < len; i++) sprintf(digits + 2 * i, "%02x", data[i]);
    digits[2 * len] = 0;
    json_object_object_add(output, name, json_object_new_string(digits));
    free(digits);
}

void say_buffer(const char *name, signal_buffer *buffer)
{
    say(name, signal_buffer_data(buffer), signal_buffer_len(buffer));
}
