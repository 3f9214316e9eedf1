/* http_socket.h - the sockets under the listener: listening, refusing on the wire, watching deadlines. */
#ifndef HTTP_SOCKET_H
#define HTTP_SOCKET_H

#include "buf.h"

#include <sys/socket.h>

/* Listens on "host:port", "[v6]:port"; port 0 picks one. RC_INVALID: bad address, RC_DOWN: taken. */
enum rc http_socket_listen(const char *address, int *fd, int *port, bool *ipv6, struct err *e);
/* Writes a whole answer with Connection: close and ends our side of the stream. Never blocks. */
bool http_socket_refuse(int fd, int status, const char *content_type, const char *request_id,
                        const struct buf *body);

/* A thread that ends connections whose request or answer takes too long. */
struct http_watch;
struct http_conn;
enum rc http_watch_new(struct http_watch **out, struct err *e);
void http_watch_free(struct http_watch *w);
/* A new connection: its first request must be complete within request_us. NULL when out of memory. */
struct http_conn *http_watch_add(struct http_watch *w, int fd, const struct sockaddr *peer,
                                 int64_t request_us);
void http_watch_remove(struct http_watch *w, struct http_conn *conn);
/* A request line came: its clock runs, unless it ran already. */
void http_watch_begin(struct http_conn *conn, int64_t request_us);
/* Ends the connection this long from now; 0 = no deadline. */
void http_watch_until(struct http_conn *conn, int64_t us);
/* The request is over; the clock of the next one starts with its first byte. */
void http_watch_idle(struct http_conn *conn);
int http_watch_fd(const struct http_conn *conn);
const char *http_watch_peer(const struct http_conn *conn);

#endif
