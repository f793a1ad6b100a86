/** Who a source is, and that it leaves; and packets of applications (RFC 3550 §6.5, §6.6, §6.7). */
import type { OctetReader, OctetWriter } from './octets'
import { sdesItems } from './packet-types'

/** One item of a source description (RFC 3550 §6.5). */
export interface SourceItem {
  /** 1 to 255; see `sdesItems`. */
  readonly item: number
  /** UTF-8, 255 bytes at most; read with {@link textOf}. */
  readonly text: Uint8Array
  /** Only of PRIV (§6.5.8): what names the kind of the item. Prefix and text are 254 bytes together. */
  readonly prefix?: Uint8Array
}

/** RFC 3550 §6.5. */
export interface SourceDescription {
  readonly type: 'SDES'
  /** 31 at most, none for a packet that says nothing. */
  readonly chunks: readonly { readonly ssrc: number; readonly items: readonly SourceItem[] }[]
}

/** RFC 3550 §6.6. */
export interface Goodbye {
  readonly type: 'BYE'
  /** 31 at most. */
  readonly ssrcs: readonly number[]
  /** UTF-8, 255 bytes at most. */
  readonly reason?: Uint8Array
}

/** RFC 3550 §6.7. */
export interface ApplicationDefined {
  readonly type: 'APP'
  /** 0 to 31. */
  readonly subtype: number
  readonly ssrc: number
  /** Four characters of ASCII. */
  readonly name: string
  /** A multiple of four bytes. */
  readonly data: Uint8Array
}

const decoder = new TextDecoder()

/** The text of an item or a reason; what is not UTF-8 comes as U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Reads the body of a source description. */
export function readSourceDescription(body: OctetReader, count: number): SourceDescription {
  const chunks: { ssrc: number; items: SourceItem[] }[] = []
  for (let index = 0; index < count && !body.isBroken; index++) {
    const ssrc = body.u32()
    chunks.push({ ssrc, items: readItems(body) })
  }
  // Some fill up with more than they need; anything else says that the count is too small.
  body.onlyFill()
  return { type: 'SDES', chunks }
}

/** Items end with a zero, and the chunk with as many more as fill its word. */
function readItems(body: OctetReader): SourceItem[] {
  const items: SourceItem[] = []
  for (;;) {
    const item = body.u8()
    if (item === sdesItems.END) break
    const text = body.take(body.u8())
    if (item !== sdesItems.PRIV) {
      items.push({ item, text })
      continue
    }
    const prefixBytes = text[0] ?? 0
    // The length of the prefix is part of the item, which is longer than it.
    if (prefixBytes >= text.length) body.isBroken = true
    items.push({ item, prefix: text.subarray(1, 1 + prefixBytes), text: text.subarray(1 + prefixBytes) })
  }
  body.take(body.left % 4)
  return items
}

/** Writes the body of a source description. */
export function writeSourceDescription({ chunks }: SourceDescription, out: OctetWriter): number {
  for (const { ssrc, items } of chunks) {
    out.uint(ssrc, 4, 'ssrc')
    for (const { item, text, prefix } of items) {
      if (item === sdesItems.END) throw new RangeError('item 0 ends the chunk')
      if ((prefix !== undefined) !== (item === sdesItems.PRIV))
        throw new RangeError('PRIV has a prefix, and nothing else has')
      out.uint(item, 1, 'item')
      out.uint(text.length + (prefix === undefined ? 0 : prefix.length + 1), 1, 'the length of the text')
      if (prefix !== undefined) {
        out.uint(prefix.length, 1, 'the length of the prefix')
        out.octets(prefix)
      }
      out.octets(text)
    }
    out.zeros(4 - (out.size % 4))
  }
  return chunks.length
}

/** Reads the body of a goodbye. */
export function readGoodbye(body: OctetReader, count: number): Goodbye {
  const ssrcs: number[] = []
  for (let index = 0; index < count && !body.isBroken; index++) ssrcs.push(body.u32())
  if (body.left === 0) return { type: 'BYE', ssrcs }
  const reason = body.take(body.u8())
  // What fills the last word is nobody's business, a whole word more says that the count is too small.
  body.take(body.left % 4)
  body.onlyFill()
  return { type: 'BYE', ssrcs, reason }
}

/** Writes the body of a goodbye. */
export function writeGoodbye({ ssrcs, reason }: Goodbye, out: OctetWriter): number {
  for (const ssrc of ssrcs) out.uint(ssrc, 4, 'ssrc')
  if (reason === undefined) return ssrcs.length
  out.uint(reason.length, 1, 'the length of the reason')
  out.octets(reason)
  out.zeros((4 - (out.size % 4)) % 4)
  return ssrcs.length
}

/** Reads the body of a packet of an application. */
export function readApplicationDefined(body: OctetReader, subtype: number): ApplicationDefined {
  const ssrc = body.u32()
  const name = String.fromCharCode(...body.take(4))
  return { type: 'APP', subtype, ssrc, name, data: body.rest() }
}

/** Writes the body of a packet of an application. */
export function writeApplicationDefined({ subtype, ssrc, name, data }: ApplicationDefined, out: OctetWriter): number {
  if (name.length !== 4) throw new RangeError('name is not four characters')
  out.uint(ssrc, 4, 'ssrc')
  for (let index = 0; index < 4; index++) out.uint(name.charCodeAt(index), 1, 'a character of the name')
  out.octets(data)
  return out.bits(subtype, 5, 'subtype')
}
