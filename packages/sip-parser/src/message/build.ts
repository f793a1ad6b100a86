/** New messages from typed parts, and responses to requests (RFC 3261 §8.1.1, §8.2.6). */
import { SipUsageError } from '../errors'
import { isToken } from '../grammar/chars'
import { encodeText } from '../grammar/text'
import { CALL_ID, CONTENT_LENGTH, CONTENT_TYPE, CSEQ, FROM, RECORD_ROUTE, TIMESTAMP, TO, VIA } from '../headers/ids'
import { headerIdOf } from '../headers/recognise'
import type { Uri } from '../uri/parse-uri'
import { bodyText, checkedUri, statusLine } from './editor'
import { findId, stride } from './header-list'
import { SipRequest, SipResponse } from './message'
import { reasonPhrase } from './reasons'
import { checkedText, type HeaderInit, HeadWriter } from './serialize'

/** Body and headers that both kinds take. */
interface BodyInit {
  /** Bytes are copied; a string is written as UTF-8. */
  readonly body?: Uint8Array | string | undefined
  readonly contentType?: string | { toString(): string } | undefined
}

/** The parts of a new request. Content-Length is computed; one among the headers is ignored. */
export interface RequestInit extends BodyInit {
  readonly method: string
  readonly uri: Uri | string
  readonly headers: readonly HeaderInit[]
}

/** The parts of a new response. Content-Length is computed; one among the headers is ignored. */
export interface ResponseInit extends BodyInit {
  readonly status: number
  readonly reason?: string | undefined
  readonly headers: readonly HeaderInit[]
}

/** What {@link responseTo} may add. */
export interface ResponseToOptions extends BodyInit {
  readonly reason?: string | undefined
  /** Added to To when the request has none (RFC 3261 §8.2.6.2). */
  readonly toTag?: string | undefined
  readonly headers?: readonly HeaderInit[] | undefined
  /** Copies the Record-Route lines, as a response that creates a dialog must (RFC 3261 §12.1.1). */
  readonly recordRoute?: boolean | undefined
}

/** Makes a request. Throws SipUsageError HEADER_INJECTION, HEADER_NAME_INVALID or VALUE_INVALID. */
export function createRequest(init: RequestInit): SipRequest {
  if (!isToken(init.method)) throw new SipUsageError('VALUE_INVALID', 'method')
  const uriText = typeof init.uri === 'string' ? init.uri : init.uri.toString()
  const uri = checkedUri(uriText)
  const writer = new HeadWriter(`${init.method} ${encodeText(uriText)} SIP/2.0`)
  addHeaders(writer, init.headers)
  const parts = writer.finish(addBody(writer, init))
  return new SipRequest(parts, init.method, typeof init.uri === 'string' ? uri : init.uri)
}

/** Makes a response. Throws SipUsageError HEADER_INJECTION, HEADER_NAME_INVALID or VALUE_INVALID. */
export function createResponse(init: ResponseInit): SipResponse {
  const writer = new HeadWriter(statusLine(init.status, init.reason ?? reasonPhrase(init.status)))
  addHeaders(writer, init.headers)
  return new SipResponse(writer.finish(addBody(writer, init)), init.status)
}

/**
 * Makes the response to a request (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq are copied byte for byte, for 100
 * also Timestamp. Works on a request of which only a part could be read; what it lacks is left out.
 */
export function responseTo(request: SipRequest, status: number, options: ResponseToOptions = {}): SipResponse {
  const writer = new HeadWriter(statusLine(status, options.reason ?? reasonPhrase(status)))
  copyLines(writer, request, VIA)
  if (options.recordRoute === true) copyLines(writer, request, RECORD_ROUTE)
  copyFirst(writer, request, FROM)
  copyTo(writer, request, options.toTag)
  copyFirst(writer, request, CALL_ID)
  copyFirst(writer, request, CSEQ)
  if (status === 100) copyFirst(writer, request, TIMESTAMP)
  if (options.headers !== undefined) addHeaders(writer, options.headers)
  return new SipResponse(writer.finish(addBody(writer, options)), status)
}

function copyLines(writer: HeadWriter, request: SipRequest, headerId: number): void {
  let entry = findId(request.index, headerId)
  while (entry >= 0) {
    writer.copyLine(request.text, request.index, entry)
    entry = findId(request.index, headerId, entry + stride)
  }
}

function copyFirst(writer: HeadWriter, request: SipRequest, headerId: number, suffix = ''): void {
  const entry = findId(request.index, headerId)
  if (entry >= 0) writer.copyLine(request.text, request.index, entry, suffix)
}

function copyTo(writer: HeadWriter, request: SipRequest, toTag: string | undefined): void {
  if (toTag !== undefined && !isToken(toTag)) throw new SipUsageError('VALUE_INVALID', 'tag')
  const to = toTag === undefined ? undefined : request.decode('to')
  const isTagMissing = to?.ok === true && to.value.tag === undefined
  copyFirst(writer, request, TO, isTagMissing ? `;tag=${toTag}` : '')
}

function addHeaders(writer: HeadWriter, headers: readonly HeaderInit[]): void {
  for (const [name, value] of headers) {
    if (headerIdOf(name) !== CONTENT_LENGTH) writer.add(name, value)
  }
}

/** Adds Content-Type and Content-Length; returns the body as wire text. */
function addBody(writer: HeadWriter, init: BodyInit): string {
  const body = init.body === undefined ? '' : bodyText(init.body)
  if (init.contentType !== undefined && !writer.has(CONTENT_TYPE)) {
    writer.addWire('Content-Type', checkedText(init.contentType))
  }
  writer.addWire('Content-Length', String(body.length))
  return body
}
