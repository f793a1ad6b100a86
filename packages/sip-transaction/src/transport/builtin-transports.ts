/** The transports that a stack brings with it, made from its options. */
import { SipUsageError } from '../errors'
import type { Random, TransportFactory } from '../ports'
import { tcpTransport } from './tcp/tcp-transport'
import type { TlsOptions } from './tls/tls-options'
import { TlsSettings } from './tls/tls-settings'
import { tlsFactory } from './tls/tls-transport'
import { udpTransport } from './udp/udp-transport'
import { type WebSocketOptions, wsFactory, wssFactory } from './ws/ws-transport'

/** What the transports are made from. */
export interface BuiltinTransportOptions {
  readonly tls?: TlsOptions | undefined
  readonly websocket?: WebSocketOptions | undefined
  /** For the keys and masks of WebSocket. */
  readonly random: Random
}

/** UDP, TCP, TLS, WebSocket and secure WebSocket. */
export class BuiltinTransports {
  readonly factories: readonly TransportFactory[]
  private readonly settings: TlsSettings | undefined

  /** @throws SipUsageError TLS_INVALID */
  constructor({ tls, websocket = {}, random }: BuiltinTransportOptions) {
    this.settings = tls === undefined ? undefined : new TlsSettings(tls)
    const { settings } = this
    this.factories = [
      udpTransport,
      tcpTransport,
      settings === undefined ? withoutTls('tls') : tlsFactory(settings),
      wsFactory(websocket, random),
      settings === undefined ? withoutTls('wss') : wssFactory(websocket, random, settings),
    ]
  }

  /**
   * Replaces certificates and trust; connections that are up go on with what they have.
   * @throws SipUsageError TLS_MISSING, TLS_INVALID
   */
  reloadTls(options: TlsOptions): void {
    if (this.settings === undefined) throw new SipUsageError('TLS_MISSING')
    this.settings.replace(options)
  }
}

function withoutTls(scheme: string): TransportFactory {
  return { scheme, listen: () => Promise.reject(new SipUsageError('TLS_MISSING', scheme)) }
}
