/**
 * Globally routable user agent URIs (RFC 5627): the public one names the instance in its `gr` parameter (§3.1.1); the
 * temporary one is an encrypted name of one binding that tells nobody whose it is (§3.1.2, Appendix A.2). Pure.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import type { SipUri } from '@carillon/sip-parser'
import type { Random } from '../ports'

/** What GRUUs are made with. */
export interface GruuOptions {
  /** At least 32 unpredictable bytes, the same after a restart and at each server of a cluster; never shown. */
  readonly secret: Uint8Array
  readonly random: Pick<Random, 'bytes'>
}

/** What a temporary GRUU names: a binding, as long as its Call-ID is the same (RFC 5627 §5.4). */
export interface GruuSubject {
  readonly id: number
  readonly callId: string
}

const tempPrefix = 'tgruu.'
const blockBytes = 16
const tagBytes = 10
/** Base64url of one block and its tag. */
const tokenChars = Math.ceil(((blockBytes + tagBytes) * 4) / 3)

/** Makes and reads GRUUs. */
export class GruuMaker {
  private readonly cipherKey: KeyObject
  private readonly tagKey: KeyObject
  private readonly random: Pick<Random, 'bytes'>

  constructor(options: GruuOptions) {
    const derive = (label: string) => createHmac('sha256', options.secret).update(label).digest()
    this.cipherKey = createSecretKey(derive('gruu cipher').subarray(0, 16))
    this.tagKey = createSecretKey(derive('gruu tag'))
    this.random = options.random
  }

  /** The public GRUU of an instance (RFC 5627 §3.1.1). */
  publicFor(aor: SipUri, instance: string): string {
    return bareUri(aor)
      .with({ params: new Map([['gr', instance]]) })
      .toString()
  }

  /** A new temporary GRUU; the earlier ones of the same subject stay good. */
  temporaryFor(aor: SipUri, subject: GruuSubject): string {
    const block = Buffer.alloc(blockBytes)
    block.set(this.random.bytes(6), 0)
    block.writeUIntBE(subject.id, 6, 6)
    block.writeUInt32BE(callIdMark(subject.callId), 12)
    const cipher = createCipheriv('aes-128-ecb', this.cipherKey, null).setAutoPadding(false)
    const hidden = Buffer.concat([cipher.update(block), cipher.final()])
    const token = Buffer.concat([hidden, this.tagOf(hidden)]).toString('base64url')
    return bareUri(aor)
      .with({ user: `${tempPrefix}${token}`, params: new Map([['gr', null]]) })
      .toString()
  }

  /** The id of the binding that a temporary GRUU was made for, and a check of its Call-ID; undefined for a forgery. */
  readTemporary(uri: SipUri): { readonly id: number; matches(callId: string): boolean } | undefined {
    const { user = '' } = uri
    if (!user.startsWith(tempPrefix) || user.length !== tempPrefix.length + tokenChars) return undefined
    const bytes = Buffer.from(user.slice(tempPrefix.length), 'base64url')
    if (bytes.length !== blockBytes + tagBytes) return undefined
    const hidden = bytes.subarray(0, blockBytes)
    if (!timingSafeEqual(bytes.subarray(blockBytes), this.tagOf(hidden))) return undefined
    const decipher = createDecipheriv('aes-128-ecb', this.cipherKey, null).setAutoPadding(false)
    const block = Buffer.concat([decipher.update(hidden), decipher.final()])
    const mark = block.readUInt32BE(12)
    return { id: block.readUIntBE(6, 6), matches: (callId) => callIdMark(callId) === mark }
  }

  private tagOf(hidden: Uint8Array): Buffer {
    return createHmac('sha256', this.tagKey).update(hidden).digest().subarray(0, tagBytes)
  }
}

/** RFC 5627 §5.4: another Call-ID is another registration, and the temporary GRUUs of the last one are void. */
function callIdMark(callId: string): number {
  return createHash('sha256').update(callId).digest().readUInt32BE(0)
}

function bareUri(aor: SipUri): SipUri {
  return aor.with({ params: new Map(), headers: new Map(), password: undefined, port: undefined })
}
