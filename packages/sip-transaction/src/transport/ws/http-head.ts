/**
 * The head of an HTTP/1.1 message, read strictly (RFC 9112 §2, §5): what proxies disagree about is refused, not guessed
 * at. Pure.
 */

/** A head that could be read. Header names are lower-case. */
export interface HttpHead {
  readonly startLine: string
  readonly headers: ReadonlyMap<string, readonly string[]>
}

/** What became of the bytes so far. */
export type HeadResult =
  | { readonly kind: 'head'; readonly head: HttpHead; readonly rest: Uint8Array }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'too-large' }

const headerLine =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$/

/** Collects one head. */
export class HttpHeadReader {
  private bytes = Buffer.alloc(0)
  private length = 0

  constructor(private readonly bytesMax: number) {}

  /** Takes the next bytes; undefined while the head is not whole. */
  push(chunk: Uint8Array): HeadResult | undefined {
    const before = this.length
    const room = this.bytesMax - before
    this.append(chunk.length > room ? chunk.subarray(0, room) : chunk)
    const end = this.bytes.subarray(0, this.length).indexOf('\r\n\r\n', Math.max(0, before - 3), 'latin1')
    if (end < 0) return chunk.length > room ? { kind: 'too-large' } : undefined
    const head = readHead(this.bytes.toString('latin1', 0, end))
    if (head === undefined) return { kind: 'malformed' }
    return { kind: 'head', head, rest: chunk.subarray(end + 4 - before) }
  }

  /** Grows by doubling, so that a peer that sends single bytes costs no more than another. */
  private append(chunk: Uint8Array): void {
    const length = this.length + chunk.length
    if (length > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(length, Math.min(this.bytesMax, 2 * this.bytes.length)))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    this.bytes.set(chunk, this.length)
    this.length = length
  }
}

function readHead(text: string): HttpHead | undefined {
  const [startLine = '', ...lines] = text.split('\r\n')
  if (!/^[\x21-\x7e]+( [\x20-\x7e]*)+$/.test(startLine)) return undefined
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    // A line that begins with white space would belong to the one before it, and not all agree on that.
    const [, name, value = ''] = headerLine.exec(line) ?? []
    if (name === undefined) return undefined
    const key = name.toLowerCase()
    const values = headers.get(key)
    if (values === undefined) headers.set(key, [value])
    else values.push(value)
  }
  return { startLine, headers }
}

/** The value of a header that may be there once; null when it is there more often. */
export function onlyValue(head: HttpHead, name: string): string | undefined | null {
  const values = head.headers.get(name)
  return values === undefined ? undefined : values.length === 1 ? values[0] : null
}

/** The elements of a header that is a list of tokens, as they stand. */
export function tokensOf(head: HttpHead, name: string): readonly string[] {
  return (head.headers.get(name) ?? []).flatMap((value) => value.split(',')).map((token) => token.trim())
}

/** True when such a list has that token, in whatever case. */
export function hasToken(head: HttpHead, name: string, token: string): boolean {
  return tokensOf(head, name).some((each) => each.toLowerCase() === token)
}
