//! Connections that can be broken on purpose. In: TCP connections. Out: the same, each with a
//! handle that cuts it off after a number of bytes, and all of them at once. Must not know HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How much may still be written to a connection.
#[derive(Debug, Default)]
struct Line {
    /// Bytes until the connection breaks; none = it does not.
    budget: Option<usize>,
    reader: Option<Waker>,
}

/// A handle to a connection.
#[derive(Debug, Clone, Default)]
pub struct Cutter(Arc<Mutex<Line>>);

impl Cutter {
    /// Breaks the connection after `bytes` more bytes have been written; 0 = at once.
    pub fn cut_after(&self, bytes: usize) {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.budget = Some(bytes);
        if let Some(waker) = line.reader.take() {
            waker.wake();
        }
    }
}

/// All open connections, so that a restart can break them.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<Vec<Weak<Mutex<Line>>>>>);

impl Connections {
    fn add(&self, cutter: &Cutter) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() == open.capacity() {
            open.retain(|line| line.strong_count() > 0);
        }
        open.push(Arc::downgrade(&cutter.0));
    }

    /// Breaks every connection but the one that asks for it.
    pub fn cut_all(&self, asking: Option<&Cutter>) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let others = open
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|line| asking.is_none_or(|asking| !Arc::ptr_eq(&asking.0, line)));
        others.for_each(|line| Cutter(line).cut_after(0));
    }
}

/// Accepts connections.
pub struct CuttableListener {
    pub tcp: TcpListener,
    pub connections: Connections,
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.tcp.accept().await {
                Ok((tcp, peer)) => {
                    // Without this, small replies wait for the peer's acknowledgement.
                    let _ = tcp.set_nodelay(true);
                    let cutter = Cutter::default();
                    self.connections.add(&cutter);
                    return (CuttableStream { tcp, cutter }, peer);
                }
                // Out of descriptors or a connection that died young: others may be better.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cutter.clone()
    }
}

/// A connection.
pub struct CuttableStream {
    tcp: TcpStream,
    cutter: Cutter,
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        {
            let mut line = self.cutter.0.lock().unwrap_or_else(PoisonError::into_inner);
            if line.budget == Some(0) {
                return Poll::Ready(Err(broken()));
            }
            line.reader = Some(cx.waker().clone());
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let budget = self.cutter.0.lock().unwrap_or_else(PoisonError::into_inner).budget;
        let most = match budget {
            Some(0) => return Poll::Ready(Err(broken())),
            Some(left) => left.min(buf.len()),
            None => buf.len(),
        };
        let written = Pin::new(&mut self.tcp).poll_write(cx, &buf[..most]);
        if let (Poll::Ready(Ok(count)), Some(left)) = (&written, budget) {
            self.cutter.0.lock().unwrap_or_else(PoisonError::into_inner).budget =
                Some(left.saturating_sub(*count));
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
