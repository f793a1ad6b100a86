/**
 * A SIP message (RFC 3261 §7): one string with a character a byte, an index of its header lines, and what has been
 * decoded so far. Immutable. It shares no memory with the buffer it was parsed from.
 */
import { Buffer } from 'node:buffer'
import { decodeMediaType, MediaType } from '../body/media-type'
import type { Problem, Result } from '../errors'
import { SipHeaderError } from '../errors'
import { decodeText, latin1Bytes } from '../grammar/text'
import { loadWire } from '../grammar/wire'
import { type Contact, decodeContact } from '../headers/contact'
import type { Codec } from '../headers/definition'
import * as id from '../headers/ids'
import { decodeNameAddr, decodeOneNameAddr, type NameAddr } from '../headers/name-addr'
import { type CSeq, decodeCallId, decodeCSeq, decodeLength, decodeMaxForwards } from '../headers/scalars'
import { decodeVia, type Via } from '../headers/via'
import { decodeUri, type Uri } from '../uri/parse-uri'
import { CoreHeaders } from './core-headers'
import { decodeFirst, decodeList, decodeRequired, startLineError } from './decode'
import type { EditedText } from './edited-text'
import { MessageEditor } from './editor'
import {
  findId,
  findName,
  type HeaderIndex,
  idAt,
  nameAt,
  stride,
  valueAt,
  valueEndAt,
  valueStartAt,
} from './header-list'
import type { Leniency } from './leniency'
import { logged, maskedUris } from './mask'
import type { DecodableHeader, MessageParts } from './parts'

/** A request or a response; tell them apart by `kind` or `instanceof`. */
export type SipMessage = SipRequest | SipResponse

/**
 * What requests and responses share. Each known header has a typed getter: its name is that of the header in camel case,
 * the first word in lower case (`callId`, `sipETag`, `pChargingVector`). A header with one value is undefined when it is
 * absent; the mandatory ones throw. A header that may have several values is an array, empty when it is absent, and is
 * named in the plural where its name can be counted (`paths`, `pAssertedIdentities`). All throw SipHeaderError for a value
 * that is malformed; `decode` says so without throwing. Unknown headers are read with `get` and `getAll`.
 */
export abstract class SipMessageBase extends CoreHeaders {
  /** @internal */
  readonly startLineEnd: number
  /** @internal */
  override readonly bodyStart: number
  /** @internal */
  override readonly leniency: Leniency

  private ownText: string
  private ownIndex: HeaderIndex
  /** What text and index are to be made of when somebody asks for them; undefined when they are there. */
  private edited: EditedText | undefined
  private viaCache: Via | undefined
  private fromCache: NameAddr | undefined
  private toCache: NameAddr | undefined
  private callIdCache: string | undefined
  private cseqCache: CSeq | undefined
  private routesCache: readonly NameAddr[] | undefined
  private maxForwardsCache: number | undefined
  /** What few messages are asked for: an id, its value, the next id and so on. Lists of values have their header's id. */
  private kept: unknown[] | undefined

  constructor(parts: MessageParts) {
    super()
    this.ownText = parts.text
    this.ownIndex = parts.index
    this.edited = parts.edited
    this.startLineEnd = parts.startLineEnd
    this.bodyStart = parts.bodyStart
    this.leniency = parts.leniency
    this.viaCache = undefined
    this.fromCache = undefined
    this.toCache = undefined
    this.callIdCache = undefined
    this.cseqCache = undefined
    this.routesCache = undefined
    this.maxForwardsCache = undefined
    this.kept = undefined
  }

  /** @internal */
  override get text(): string {
    if (this.edited !== undefined) this.settle(this.edited)
    return this.ownText
  }

  /** @internal */
  override get index(): HeaderIndex {
    if (this.edited !== undefined) this.settle(this.edited)
    return this.ownIndex
  }

  /** Start line, headers and empty line, one character a byte: positions in it are byte offsets. */
  get head(): string {
    return this.text.slice(0, this.bodyStart)
  }

  /** The body as bytes, made on first use and then kept; the message's own memory. Do not write into it. */
  get body(): Uint8Array {
    return (
      (this.keptValue(bodyId) as Buffer | undefined) ??
      this.keep(bodyId, Buffer.from(this.text.slice(this.bodyStart), 'latin1'))
    )
  }

  /** Bytes of the whole message; costs nothing. */
  get byteLength(): number {
    return (this.edited ?? this.ownText).length
  }

  /** Bytes of the body; costs nothing. */
  get bodyLength(): number {
    return (this.edited ?? this.ownText).length - this.bodyStart
  }

  /** The first raw value of a header: unfolded, trimmed, UTF-8 decoded. Any case, long or compact name. */
  get(name: string): string | undefined {
    const entry = findName(this.text, this.index, name)
    return entry < 0 ? undefined : valueAt(this.text, this.index, entry)
  }

  /** The raw value of each line of a header; not split at commas. */
  getAll(name: string): readonly string[] {
    const values: string[] = []
    let entry = findName(this.text, this.index, name)
    while (entry >= 0) {
      values.push(valueAt(this.text, this.index, entry))
      entry = findName(this.text, this.index, name, entry + stride)
    }
    return values
  }

  /** True when the header is there at least once. */
  has(name: string): boolean {
    return findName(this.text, this.index, name) >= 0
  }

  /** Each header line in order: name as it came, raw value. */
  *headers(): Iterable<{ name: string; value: string }> {
    for (let entry = 0; entry < this.index.length; entry += stride) {
      yield { name: nameAt(this.text, this.index, entry), value: valueAt(this.text, this.index, entry) }
    }
  }

  /** The top Via. Throws SipHeaderError when it is absent or malformed, like every mandatory header below. */
  get via(): Via {
    this.viaCache ??= decodeRequired(this, id.VIA, decodeVia)
    return this.viaCache
  }

  /** Every Via, the top one first. */
  get vias(): readonly Via[] {
    return this.list(id.VIA, decodeVia)
  }

  get from(): NameAddr {
    this.fromCache ??= decodeRequired(this, id.FROM, decodeOneNameAddr)
    return this.fromCache
  }

  get to(): NameAddr {
    this.toCache ??= decodeRequired(this, id.TO, decodeOneNameAddr)
    return this.toCache
  }

  get callId(): string {
    this.callIdCache ??= decodeRequired(this, id.CALL_ID, decodeCallId)
    return this.callIdCache
  }

  get cseq(): CSeq {
    this.cseqCache ??= decodeRequired(this, id.CSEQ, decodeCSeq)
    return this.cseqCache
  }

  /** Undefined when absent: RFC 2543 had no Max-Forwards. */
  get maxForwards(): number | undefined {
    this.maxForwardsCache ??= decodeFirst(this, id.MAX_FORWARDS, decodeMaxForwards)
    return this.maxForwardsCache
  }

  /** Contact values; empty when there are none, or when the value is `*`. */
  get contacts(): readonly Contact[] {
    return this.contactStar ? [] : this.list(id.CONTACT, decodeContact)
  }

  /** True when Contact is exactly `*` (RFC 3261 §10.2.2). */
  get contactStar(): boolean {
    const entry = findId(this.index, id.CONTACT)
    if (entry < 0 || findId(this.index, id.CONTACT, entry + stride) >= 0) return false
    const end = valueEndAt(this.index, entry)
    return this.text.charCodeAt(end - 1) === 0x2a && valueAt(this.text, this.index, entry) === '*'
  }

  get routes(): readonly NameAddr[] {
    this.routesCache ??= decodeList(this, id.ROUTE, decodeNameAddr)
    return this.routesCache
  }

  get recordRoutes(): readonly NameAddr[] {
    return this.list(id.RECORD_ROUTE, decodeNameAddr)
  }

  get contentType(): MediaType | undefined {
    const entry = findId(this.index, id.CONTENT_TYPE)
    if (entry < 0) return undefined
    const isOnly = findId(this.index, id.CONTENT_TYPE, entry + stride) < 0
    if (isOnly && isSdp(this.text, valueStartAt(this.index, entry), valueEndAt(this.index, entry))) return sdpType
    return this.list(id.CONTENT_TYPE, decodeMediaType, true)[0]
  }

  get contentLength(): number | undefined {
    return decodeFirst(this, id.CONTENT_LENGTH, decodeLength)
  }

  /** A typed getter's value without throwing: an absent mandatory header and a malformed one are problems. */
  decode<K extends DecodableHeader>(name: K): Result<this[K]> {
    try {
      return { ok: true, value: this[name] }
    } catch (thrown) {
      if (!(thrown instanceof SipHeaderError)) throw thrown
      return { ok: false, error: thrown.problem }
    }
  }

  /** Head and body as text, UTF-8 decoded, secrets included. For logs use `JSON.stringify` or `toJSON`. */
  override toString(): string {
    return decodeText(this.text)
  }

  /** The message as bytes, those it came with when it was received. A new buffer each time: the caller owns it. */
  toBytes(): Buffer {
    return this.edited === undefined ? latin1Bytes(this.ownText) : this.edited.toBytes()
  }

  /**
   * For logs: values of the Authorization family, digests of Security-Verify and passwords of URIs are masked, the body is
   * counted and not shown.
   */
  toJSON(): object {
    const headers = [...this.headers()].map(({ name, value }, position) => {
      const headerId = idAt(this.index, position * stride)
      return { name, value: logged(headerId, value) }
    })
    return {
      kind: this.kind,
      startLine: maskedUris(decodeText(this.text.slice(0, this.startLineEnd))),
      headers,
      bodyBytes: this.bodyLength,
    }
  }

  private settle(edited: EditedText): void {
    this.ownText = edited.toText()
    this.ownIndex = edited.toIndex()
    this.edited = undefined
  }

  protected override list<T>(headerId: number, codec: Codec<T>, isWhole = false): readonly T[] {
    const known = this.keptValue(headerId) as readonly T[] | undefined
    return known ?? this.keep(headerId, decodeList(this, headerId, codec, isWhole))
  }

  /** What {@link keep} has been given under this id. */
  protected keptValue(id: number): unknown {
    const { kept } = this
    if (kept === undefined) return undefined
    for (let at = 0; at < kept.length; at += 2) if (kept[at] === id) return kept[at + 1]
    return undefined
  }

  protected keep<T>(id: number, value: T): T {
    if (this.kept === undefined) this.kept = [id, value]
    else this.kept.push(id, value)
    return value
  }
}

/** Ids of what is kept beside lists of values; headers have ids from 1 on. */
const bodyId = 0
const uriProblemId = -1

/** A request. */
export class SipRequest extends SipMessageBase {
  private uriCache: Uri | undefined

  /** @internal */
  constructor(
    parts: MessageParts,
    /** Case-sensitive, as it came. */
    readonly method: string,
    uri: Uri | undefined,
    /** The malformed request line's problem, when there is one. */
    uriProblem: Problem | undefined = undefined,
  ) {
    super(parts)
    this.uriCache = uri
    if (uriProblem !== undefined) this.keep(uriProblemId, uriProblem)
  }

  override get kind(): 'request' {
    return 'request'
  }

  /** The request URI. Throws SipHeaderError when it is malformed, which it never is after `parseMessage` said ok. */
  get uri(): Uri {
    if (this.uriCache === undefined) {
      const { uriProblem } = this
      if (uriProblem !== undefined) throw new SipHeaderError(uriProblem)
      const start = this.method.length + 1
      this.uriCache = startLineError(() =>
        decodeUri(loadWire(this.text, this.bodyStart), start, this.text.indexOf(' ', start), this.leniency),
      )
    }
    return this.uriCache
  }

  private get uriProblem(): Problem | undefined {
    return this.keptValue(uriProblemId) as Problem | undefined
  }

  /** Begins a copy with changes; what is not touched is copied byte for byte. */
  edit(): MessageEditor<SipRequest> {
    return new MessageEditor<SipRequest>(this, SipRequest.remade)
  }

  private static remade(
    source: SipRequest,
    parts: MessageParts,
    method: string | undefined,
    uri: Uri | undefined,
  ): SipRequest {
    if (method === undefined) return new SipRequest(parts, source.method, source.uriCache, source.uriProblem)
    return new SipRequest(parts, method, uri)
  }
}

/** A response. */
export class SipResponse extends SipMessageBase {
  /** @internal */
  constructor(
    parts: MessageParts,
    /** 100 to 699. */
    readonly status: number,
  ) {
    super(parts)
  }

  override get kind(): 'response' {
    return 'response'
  }

  /** The reason phrase, UTF-8 decoded; may be empty. */
  get reason(): string {
    return decodeText(this.text.slice(12, this.startLineEnd))
  }

  /** Begins a copy with changes; what is not touched is copied byte for byte. */
  edit(): MessageEditor<SipResponse> {
    return new MessageEditor<SipResponse>(this, SipResponse.remade)
  }

  private static remade(
    source: SipResponse,
    parts: MessageParts,
    _method: undefined | string,
    _uri: Uri | undefined,
    status: number | undefined,
  ): SipResponse {
    return new SipResponse(parts, status ?? source.status)
  }
}

/** The usual media type, shared by all messages: it cannot be changed. */
const sdpType = MediaType.of('application', 'sdp')

function isSdp(text: string, start: number, end: number): boolean {
  return end - start === 15 && text.startsWith('application/sdp', start)
}
