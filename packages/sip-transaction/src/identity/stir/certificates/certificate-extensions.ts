/** Extensions of a certificate that Node does not read (RFC 5280 §4.1, §4.2): found in its DER. Pure. */
import { readDer, readDerList } from './der-reader'

const [octetsTag, integerTag, extensionsTag] = [0x04, 0x02, 0xa3]
/** 2.5.29.19 */
const basicConstraintsId = Buffer.from([0x55, 29, 19])
/** More parts than a certificate of RFC 5280 §4.1 has. */
const partsMax = 64

/**
 * The value of an extension.
 * @param certificate its DER
 * @param id the content of the object identifier
 * @returns a view of the bytes; `none` without the extension; undefined when the certificate cannot be read
 */
export function readExtension(certificate: Uint8Array, id: Buffer): Uint8Array | 'none' | undefined {
  const whole = readDer(certificate)
  const body = whole === undefined ? undefined : readDerList(whole.content, partsMax)?.[0]
  const parts = body === undefined ? undefined : readDerList(body.content, partsMax)
  if (parts === undefined) return undefined
  const holder = parts.find(({ tag }) => tag === extensionsTag)
  if (holder === undefined) return 'none'
  const list = readDer(holder.content)
  const extensions = list === undefined ? undefined : readDerList(list.content, partsMax)
  if (extensions === undefined) return undefined
  for (const extension of extensions) {
    const inside = readDerList(extension.content, partsMax)
    const [name] = inside ?? []
    if (name === undefined || !id.equals(name.content)) continue
    const value = inside?.at(-1)
    return value?.tag === octetsTag ? value.content : undefined
  }
  return 'none'
}

/** How many authorities may stand below this one (RFC 5280 §4.2.1.9); none when that cannot be read. */
export function pathLengthMax(certificate: Uint8Array): number {
  const value = readExtension(certificate, basicConstraintsId)
  if (value === 'none') return Number.POSITIVE_INFINITY
  const constraints = value === undefined ? undefined : readDer(value)
  const parts = constraints === undefined ? undefined : readDerList(constraints.content, 2)
  if (parts === undefined) return 0
  const limit = parts.find(({ tag }) => tag === integerTag)
  if (limit === undefined) return Number.POSITIVE_INFINITY
  return limit.content.length === 1 ? (limit.content[0] ?? 0) : 0
}
