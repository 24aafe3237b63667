package store

import (
	"context"
	"net"
	"net/http"
	"time"
)

const (
	keepAlive = 30 * time.Second
	// maxIdleConnections is more than the requests that a reader or a writer has under way.
	maxIdleConnections = 64
)

// tune sets the bounds of o in t.
func (o Options) tune(t *http.Transport) {
	d := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: keepAlive}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &watchedConn{Conn: c, stall: o.StallTimeout}, nil
	}
	t.TLSHandshakeTimeout = o.ConnectTimeout
	t.MaxIdleConnsPerHost = maxIdleConnections
}

// transport is one for the drivers that come with none.
func (o Options) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	o.tune(t)
	return t
}

// watchedConn is a connection that fails when nothing has moved on it, either way, for some time.
type watchedConn struct {
	net.Conn
	stall time.Duration
}

func (c *watchedConn) Read(p []byte) (int, error) {
	c.moved()
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.moved()
	}
	return n, err
}

func (c *watchedConn) Write(p []byte) (int, error) {
	c.moved()
	n, err := c.Conn.Write(p)
	c.moved()
	return n, err
}

// moved puts the end off. Where that fails, the connection does at its next use.
func (c *watchedConn) moved() { _ = c.SetDeadline(time.Now().Add(c.stall)) }
