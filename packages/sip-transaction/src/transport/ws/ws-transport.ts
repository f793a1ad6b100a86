/**
 * SIP over WebSocket and secure WebSocket (RFC 7118): server, for browsers, and client. What is special is the framing
 * and, over TLS, that servers are checked as those of HTTPS are (RFC 6455 §4.1, RFC 9110 §4.3.4).
 */
import type { Socket } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { FlowAddress, Random, TransportContext, TransportFactory } from '../../ports'
import { listenStream } from '../stream/listen'
import type { ConnectionEnds } from '../stream/stream-connection'
import type { StreamFraming } from '../stream/stream-framing'
import { StreamTransport } from '../stream/stream-transport'
import { connectTcp } from '../tcp/tcp-transport'
import type { CertificateNames } from '../tls/identities'
import { TlsAcceptor } from '../tls/tls-acceptor'
import type { TlsSettings } from '../tls/tls-settings'
import { connectTls, provenIdentities } from '../tls/tls-transport'
import { WsFraming } from './ws-framing'

/** Options of the `ws://` and `wss://` listeners of a stack. */
export interface WebSocketOptions {
  /** The path that clients must ask for, such as `/sip`, and that we ask servers for. Absent: any, and `/`. */
  readonly path?: string
  /** Origins of the web pages that may connect, such as `https://phone.example.com`. Absent: any. */
  readonly origins?: readonly string[]
}

/** The factory for `ws://` listen URIs. */
export function wsFactory(options: WebSocketOptions, random: Random): TransportFactory {
  return {
    scheme: 'ws',
    async listen(address, port, sink, context) {
      const { server, local } = await listenStream({ transport: 'WS', address, port })
      const kind = {
        name: 'WS',
        isSecure: false,
        connectEvent: 'connect',
        connect: connectTcp,
        framing: framings(options, random, context, 80),
      }
      return new StreamTransport(kind, server, local, sink, context)
    },
  }
}

/** The factory for `wss://` listen URIs. */
export function wssFactory(options: WebSocketOptions, random: Random, settings: TlsSettings): TransportFactory {
  return {
    scheme: 'wss',
    async listen(address, port, sink, context) {
      const { server, local } = await listenStream({ transport: 'WSS', address, port })
      const acceptor = new TlsAcceptor(settings, settings.options.webClientCertificate ?? 'none')
      const kind = {
        name: 'WSS',
        isSecure: true,
        connectEvent: 'secureConnect',
        connect: (remote: FlowAddress, near: FlowAddress, serverName: string | undefined) =>
          connectTls(settings, remote, near, serverName, checkWebServer),
        framing: framings(options, random, context, 443),
        secure: (raw: Socket, settle: (result: Socket | string) => void) => acceptor.accept(raw, settle),
        identitiesOf: provenIdentities,
        close: () => acceptor.close(),
      }
      return new StreamTransport(kind, server, local, sink, context)
    },
  }
}

/** The rules of HTTPS, wildcards included. */
function checkWebServer(name: string, _names: CertificateNames, certificate: PeerCertificate): Error | undefined {
  return checkServerIdentity(name, certificate)
}

function framings(options: WebSocketOptions, random: Random, context: TransportContext, defaultPort: number) {
  const { path, origins } = options
  const { limits } = context
  return (ends: ConnectionEnds): StreamFraming => {
    if (ends.isIncoming) return new WsFraming({ side: 'server', rules: { path, origins } }, limits)
    const { address, port } = ends.remote
    const name = ends.serverName ?? address
    const host = `${name.includes(':') ? `[${name}]` : name}${port === defaultPort ? '' : `:${port}`}`
    return new WsFraming({ side: 'client', host, path: path ?? '/', random }, limits)
  }
}
