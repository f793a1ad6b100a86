/**
 * The way in: bytes become a checked message, or a count, or an answer without state. RFC 3261 §8.2 (order of checks),
 * §16.3, §18.1.2, §18.2.1; RFC 4475 (torture tests). Pure, but for what the parser remembers.
 */
import {
  checkMandatory,
  createResponse,
  type HeaderInit,
  type Problem,
  type ProblemCode,
  parseMessage,
  problemCodes,
  SipHeaderError,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '@carillon/sip-parser'
import type { Flow } from '../../ports'
import type { OverloadFeedback } from '../../protection/overload-feedback'
import { stampReceived } from '../../transport/via'
import type { DropReason } from '../counters'

/** What came of the bytes. */
export type IngressResult =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /** A malformed request that can be answered. */
  | { readonly kind: 'answer'; readonly response: SipResponse; readonly request: SipRequest; readonly problem: Problem }
  | { readonly kind: 'drop'; readonly reason: DropReason; readonly detail: string }

/** Bits of the To tag of an answer without state. */
export type TagMaker = () => string

/**
 * Reads one message as it came on that flow.
 * @param feedback what senders that take part in overload control are told (RFC 7339)
 */
export function readMessage(
  bytes: Uint8Array,
  flow: Flow,
  newTag: TagMaker,
  feedback?: OverloadFeedback,
): IngressResult {
  const isAlone = !flow.isReliable || flow.keepsMessagesApart === true
  const parsed = parseMessage(bytes, { datagram: isAlone })
  if (!parsed.ok) return refuse(parsed.message, parsed.error, flow, newTag)
  // Stamped before the checks: a stamped request is a new message, and what they decode is kept with it.
  const { message: given } = parsed
  const message = given.kind === 'request' ? stampReadable(given, flow, feedback) : given
  const problem = checkMandatory(message) ?? checkUsed(message)
  if (problem !== undefined) return refuse(parsed.message, problem, flow, newTag)
  return { kind: 'message', message }
}

/** Methods whose Contact and Record-Route make or change a dialog. */
const dialogMethods: ReadonlySet<string> = new Set(['INVITE', 'UPDATE'])

/**
 * What is read of a request beside its mandatory headers, so that nothing later meets a value that it cannot read. The
 * Contacts of a REGISTER are judged by its registrar; ACK and CANCEL are matched by their mandatory headers alone.
 */
function checkUsed(message: SipMessage): Problem | undefined {
  if (message.kind === 'response') return undefined
  const { method } = message
  if (method === 'ACK' || method === 'CANCEL') return undefined
  const used = dialogMethods.has(method) ? dialogHeaders : everyHeader
  for (const name of used) {
    const decoded = message.decode(name)
    if (!decoded.ok) return decoded.error
  }
  return undefined
}

const everyHeader = ['vias', 'require'] as const
const dialogHeaders = [...everyHeader, 'contacts', 'recordRoutes'] as const

/** The same for a head whose message cannot be framed on its stream; `code` is what the framing found. */
export function readBrokenHead(head: Uint8Array, code: string, flow: Flow, newTag: TagMaker): IngressResult {
  const parsed = parseMessage(head)
  const kind = Object.hasOwn(problemCodes, code) ? problemCodes[code as ProblemCode] : undefined
  if (kind === undefined) return { kind: 'drop', reason: 'garbage', detail: code }
  const { layer, status, sentence } = kind
  return refuse(parsed.message, { layer, code, offset: 0, suggestedStatus: status, sentence }, flow, newTag)
}

/** The answer to a malformed request, as far as what was readable allows (RFC 3261 §8.2.6.2). */
function refuse(message: SipMessage | undefined, problem: Problem, flow: Flow, newTag: TagMaker): IngressResult {
  if (message === undefined) return { kind: 'drop', reason: 'garbage', detail: problem.code }
  if (message.kind === 'response') return { kind: 'drop', reason: 'malformed-response', detail: problem.code }
  if (message.method === 'ACK') return { kind: 'drop', reason: 'malformed-ack', detail: problem.code }
  const { suggestedStatus } = problem
  if (suggestedStatus === 'drop') return { kind: 'drop', reason: 'malformed-request', detail: problem.code }
  const request = stamp(message, flow)
  const headers = request === undefined ? undefined : echoed(request, newTag)
  if (request === undefined || headers === undefined) {
    const reason = problem.layer === 'framing' || problem.layer === 'start-line' ? 'garbage' : 'malformed-request'
    return { kind: 'drop', reason, detail: problem.code }
  }
  const where = problem.header === undefined ? problem.sentence : `${problem.header}: ${problem.sentence}`
  const warning: HeaderInit = ['Warning', `399 carillon "${where.replace(/[^\x20-\x7e]|["\\]/g, ' ')}"`]
  try {
    const response = createResponse({ status: suggestedStatus, headers: [...headers, warning] })
    return { kind: 'answer', response, request, problem }
  } catch {
    return { kind: 'drop', reason: 'malformed-request', detail: problem.code }
  }
}

function stamp(request: SipRequest, flow: Flow): SipRequest | undefined {
  return request.decode('via').ok ? stampReceived(request, flow.remote) : undefined
}

/** The request itself when its Via cannot be read, which the checks that follow tell. */
function stampReadable(request: SipRequest, flow: Flow, feedback: OverloadFeedback | undefined): SipRequest {
  try {
    return stampReceived(request, flow.remote, feedback)
  } catch (thrown) {
    if (thrown instanceof SipHeaderError) return request
    throw thrown
  }
}

/** The headers that an answer copies; undefined when one is not there or makes no sense. */
function echoed(request: SipRequest, newTag: TagMaker): HeaderInit[] | undefined {
  const headers: HeaderInit[] = []
  for (const via of request.getAll('Via')) headers.push(['Via', via])
  const [from, to, callId, cseq] = ['From', 'To', 'Call-ID', 'CSeq'].map((name) => request.get(name))
  if (!from || !to || !callId || !cseq) return undefined
  const decodedTo = request.decode('to')
  const tagged = decodedTo.ok && decodedTo.value.tag === undefined ? `${to};tag=${newTag()}` : to
  headers.push(['From', from], ['To', tagged], ['Call-ID', callId], ['CSeq', cseq])
  return headers
}
