/**
 * Accepts TLS on sockets that have been admitted (RFC 3261 §26.3.1, RFC 5922 §7.4): one TLS server per listener, which
 * does not listen itself, so that caps come before any handshake.
 */
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { flowReasons, reasonOfError } from '../reasons'
import type { TlsSettings } from './tls-settings'

/** Takes the socket to use, or why there is none. */
type Settle = (result: Socket | string) => void

/** A handshake under way. */
interface Attempt {
  readonly raw: Socket
  readonly settle: Settle
  reason: string
}

/** How clients are asked for certificates. */
export type ClientCertificatePolicy = 'none' | 'requested' | 'required'

/** Turns raw sockets into TLS sockets. */
export class TlsAcceptor {
  private readonly server: Server
  /** By both ends, for the TLS socket does not say which socket it is made of. */
  private readonly attempts = new Map<string, Attempt>()
  private readonly unwatch: () => void

  constructor(
    private readonly settings: TlsSettings,
    policy: ClientCertificatePolicy,
  ) {
    this.server = createServer({
      ...settings.serverContextOptions(),
      SNICallback: (name, done) => done(null, settings.forName(name)),
      requestCert: policy !== 'none',
      rejectUnauthorized: policy === 'required',
    })
    this.server.on('secureConnection', (socket) => this.secured(socket))
    this.server.on('tlsClientError', (error, socket) => this.failed(error, socket))
    // Never bound, so what it might still raise concerns one handshake, whose socket is closed for it.
    this.server.on('error', () => {})
    this.unwatch = settings.watch(() => this.server.setSecureContext(settings.serverContextOptions()))
  }

  /** Begins a handshake; `settle` is called once. */
  accept(raw: Socket, settle: Settle): void {
    if (!this.settings.hasCertificate) {
      settle(flowReasons.CERTIFICATE_MISSING)
      return
    }
    const key = keyOf(raw)
    const attempt = { raw, settle, reason: flowReasons.HANDSHAKE_FAILED }
    this.attempts.set(key, attempt)
    raw.once('close', () => {
      if (this.attempts.get(key) !== attempt) return
      this.attempts.delete(key)
      settle(attempt.reason)
    })
    // A peer that ends its side within the handshake has given up.
    raw.allowHalfOpen = false
    this.server.emit('connection', raw)
  }

  /** Lets go of the settings. */
  close(): void {
    this.unwatch()
  }

  private secured(socket: TLSSocket): void {
    const key = keyOf(socket)
    const attempt = this.attempts.get(key)
    if (attempt === undefined) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    this.attempts.delete(key)
    // A handshake anew costs us more than the peer, and nothing in SIP needs one.
    socket.disableRenegotiation()
    socket.allowHalfOpen = true
    attempt.settle(socket)
  }

  private failed(error: Error, socket: TLSSocket): void {
    const attempt = this.attempts.get(keyOf(socket))
    if (attempt !== undefined) {
      attempt.reason = reasonOfError(error)
      attempt.raw.destroy()
    }
    socket.destroy()
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localAddress}`
}
