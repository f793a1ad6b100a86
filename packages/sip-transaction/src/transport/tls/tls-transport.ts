/**
 * SIP over TLS (RFC 3261 §18 and §26.3, RFC 5922): server and client. The certificate of a server is checked against the
 * name that was asked for, before any look-up; nothing is sent before that.
 */
import type { Socket } from 'node:net'
import { type ConnectionOptions, connect, type PeerCertificate, TLSSocket } from 'node:tls'
import type { FlowAddress, TransportFactory } from '../../ports'
import { addressFamily, isUnspecified } from '../address'
import { listenStream } from '../stream/listen'
import { SipFraming } from '../stream/stream-framing'
import { StreamTransport } from '../stream/stream-transport'
import { type CertificateNames, isCertificateFor, sipDomainsOf } from './identities'
import { TlsAcceptor } from './tls-acceptor'
import { namesOfCertificate, type TlsSettings } from './tls-settings'

/** Decides whether a server that is trusted is the one that was asked for: an error when it is not. */
export type ServerCheck = (name: string, names: CertificateNames, certificate: PeerCertificate) => Error | undefined

/** The factory for `tls://` listen URIs. */
export function tlsFactory(settings: TlsSettings): TransportFactory {
  return {
    scheme: 'tls',
    async listen(address, port, sink, context) {
      const { server, local } = await listenStream({ transport: 'TLS', address, port })
      const acceptor = new TlsAcceptor(settings, settings.options.clientCertificate ?? 'none')
      const kind = {
        name: 'TLS',
        isSecure: true,
        offersAlias: settings.hasCertificate,
        connectEvent: 'secureConnect',
        connect: (remote: FlowAddress, near: FlowAddress, serverName: string | undefined) =>
          connectTls(settings, remote, near, serverName, checkSipServer),
        framing: () => new SipFraming(context.limits.messageBytesMax),
        secure: (raw: Socket, settle: (result: Socket | string) => void) => acceptor.accept(raw, settle),
        identitiesOf: provenIdentities,
        close: () => acceptor.close(),
      }
      return new StreamTransport(kind, server, local, sink, context)
    },
  }
}

/** RFC 5922 §7.3. */
function checkSipServer(name: string, names: CertificateNames): Error | undefined {
  if (isCertificateFor(names, name)) return undefined
  return Object.assign(new Error('The certificate is not for the server that was asked for.'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
}

/** Opens a TLS connection; the name is asked for and checked. */
export function connectTls(
  settings: TlsSettings,
  remote: FlowAddress,
  local: FlowAddress,
  serverName: string | undefined,
  check: ServerCheck,
): TLSSocket {
  const name = serverName ?? remote.address
  // Node takes the options of a socket here as well, which its types do not say.
  const options: ConnectionOptions & { readonly allowHalfOpen: boolean; readonly localAddress?: string } = {
    host: remote.address,
    port: remote.port,
    allowHalfOpen: true,
    secureContext: settings.main,
    // RFC 6066 §3: an address is no server name.
    servername: addressFamily(name) === 0 ? name : '',
    rejectUnauthorized: settings.options.trustAnyServer !== true,
    checkServerIdentity: (_host, certificate) => {
      const { subjectaltname, subject } = certificate
      const commonName: unknown = subject?.CN
      const names = {
        subjectAltName: subjectaltname,
        commonName: typeof commonName === 'string' ? commonName : undefined,
      }
      return check(name, names, certificate)
    },
    ...(isUnspecified(local.address) ? {} : { localAddress: local.address }),
  }
  const socket = connect(options)
  socket.once('secureConnect', () => socket.disableRenegotiation())
  return socket
}

/** The SIP domains of the peer's certificate, when an authority that we trust has signed it; none otherwise. */
export function provenIdentities(socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return []
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? [] : sipDomainsOf(namesOfCertificate(certificate))
}
