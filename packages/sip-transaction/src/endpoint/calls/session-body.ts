/**
 * The session description that a message carries, alone or as a part of a multipart body: RFC 3261 §7.4.1, §8.2.3
 * (bodies that nobody understands), §20.11 (handling); RFC 5621 §3 (multipart); RFC 2046 §5.1.1 (boundaries). Pure.
 */
import { MediaType, type SipRequest, type SipResponse } from '@carillon/sip-parser'

/** What the body of a message is, to whoever wants a session description. */
export type SessionBody =
  | { readonly kind: 'none' }
  /** `sdp` is a view into the message. */
  | { readonly kind: 'sdp'; readonly sdp: Uint8Array }
  /** Something else that the sender wants to be understood: answered 415. */
  | { readonly kind: 'unsupported' }

/** Bodies that a call understands, as the value of Accept. */
export const acceptedBodies = 'application/sdp, multipart/mixed'

/** Looks for a session description. A body without Content-Type is taken for one, as phones mean it. */
export function sessionBodyOf(message: SipRequest | SipResponse): SessionBody {
  if (message.bodyLength === 0) return { kind: 'none' }
  const encoding = message.get('Content-Encoding')
  const isPlain = encoding === undefined || encoding.trim().toLowerCase() === 'identity'
  const sdp = isPlain ? sdpIn(message.body, message.get('Content-Type')) : undefined
  if (sdp !== undefined) return { kind: 'sdp', sdp }
  const isOptional = /;\s*handling\s*=\s*"?optional"?\s*(;|$)/i.test(message.get('Content-Disposition') ?? '')
  return isOptional ? { kind: 'none' } : { kind: 'unsupported' }
}

/** A session description as the body of a message of ours; nothing for none. */
export function sessionBody(sdp: Uint8Array | string | undefined): {
  readonly body?: Uint8Array | string
  readonly contentType?: string
} {
  return sdp === undefined ? {} : { body: sdp, contentType: 'application/sdp' }
}

/** The session description of a message, or undefined. */
export function sdpOf(message: SipRequest | SipResponse): Uint8Array | undefined {
  const body = sessionBodyOf(message)
  return body.kind === 'sdp' ? body.sdp : undefined
}

function sdpIn(body: Uint8Array, contentType: string | undefined): Uint8Array | undefined {
  if (contentType === undefined) return body
  const read = MediaType.parse(contentType)
  if (!read.ok) return undefined
  const { essence, type, params } = read.value
  if (essence === 'application/sdp') return body
  const boundary = params.get('boundary')
  return type === 'multipart' && boundary ? sdpPart(body, boundary) : undefined
}

/** The first part that is a session description; parts within parts are not looked into. */
function sdpPart(body: Uint8Array, boundary: string): Uint8Array | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delimiter = `\r\n--${boundary}`
  // The first delimiter may stand at the very beginning, without a line end before it.
  let at = bytes.indexOf(`--${boundary}`) === 0 ? 0 : endOf(bytes, delimiter, 0)
  if (at === 0) at = boundary.length + 2
  while (at >= 0) {
    const end = bytes.indexOf(delimiter, at)
    const part = bytes.subarray(at, end < 0 ? bytes.length : end)
    if (part.subarray(0, 2).equals(closing)) return undefined
    const headEnd = part.indexOf('\r\n\r\n')
    if (headEnd >= 0 && isPlainSdp(part.toString('latin1', 0, headEnd)))
      return body.subarray(at + headEnd + 4, end < 0 ? undefined : end)
    at = end < 0 ? -1 : end + delimiter.length
  }
  return undefined
}

const closing = Buffer.from('--')

function endOf(bytes: Buffer, mark: string, from: number): number {
  const at = bytes.indexOf(mark, from)
  return at < 0 ? -1 : at + mark.length
}

function isPlainSdp(head: string): boolean {
  if (/^content-transfer-encoding:\s*(base64|quoted-printable)/im.test(head)) return false
  const type = /^content-type:\s*([^\r\n]*)/im.exec(head)?.[1]
  return type !== undefined && /^application\/sdp\s*(;|$)/i.test(type)
}
