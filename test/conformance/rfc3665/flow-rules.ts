/**
 * What holds between the messages of a call flow (RFC 3261 §8, §9, §12, §16, §17), asked of the parser's getters. Each rule
 * takes a flow and returns what breaks it: nothing for a flow that is right.
 */
import type { SipRequest, SipResponse, Via } from '@carillon/sip-parser'
import { SipUri } from '@carillon/sip-parser'
import type { Flow, FlowMessage } from './flow-file'

type Sent<M> = FlowMessage & { readonly message: M }

/** A rule of {@link flowRules}. */
export type FlowRule = (flow: Flow) => readonly string[]

/** The rules, each with the sentence that a test is called by. */
export const flowRules: Readonly<Record<string, FlowRule>> = {
  '§18.1.1: the top Via of a request names its sender, and received of the next one where it came from': checkSentBy,
  '§8.2.6: a response answers a request that went the other way': checkResponses,
  '§16.6: a proxy adds a Via on top, counts Max-Forwards down and leaves the rest': checkForwarding,
  '§17.1.1.3: the ACK to a failure has branch, URI, routes and CSeq of its INVITE': checkFailureAcks,
  '§9.1: CANCEL has branch, URI, routes, tags and CSeq of its INVITE': checkCancels,
  '§13.2.2.4: the ACK to a 200 is a transaction of its own': checkSuccessAcks,
  '§12.1.1, §12.1.2: routes inside a dialog are the Record-Routes, mirrored for the caller': checkRouteSets,
  '§12.2.1.1: CSeq goes up by one for each new request of a side': checkSequence,
  '§16.12: a request goes to its first route, and no proxy meets its own': checkNextHops,
  '§17.1.1.2: what is repeated is repeated byte for byte': checkRepeats,
}

function requests(flow: Flow): Sent<SipRequest>[] {
  return flow.messages.filter((sent): sent is Sent<SipRequest> => sent.message.kind === 'request')
}

function responses(flow: Flow): Sent<SipResponse>[] {
  return flow.messages.filter((sent): sent is Sent<SipResponse> => sent.message.kind === 'response')
}

function before<M>(flow: Flow, all: readonly Sent<M>[], sent: FlowMessage): Sent<M>[] {
  const at = flow.messages.indexOf(sent)
  return all.filter((other) => flow.messages.indexOf(other) < at)
}

/** A Via without what its receiver added. */
function bare(via: Via): string {
  return via.toString().replace(/ *;received=[^;]*/, '')
}

function vias(sent: FlowMessage): string[] {
  return sent.message.vias.map(bare)
}

function texts(values: readonly { toString(): string }[]): string {
  return values.map((value) => value.toString()).join(' ')
}

/** Origin of a request rather than a proxy that passes it on. */
function isOrigin(sent: FlowMessage): boolean {
  return sent.message.vias.length === 1
}

function checkSentBy(flow: Flow): string[] {
  const wrong: string[] = []
  for (const sent of requests(flow)) {
    if (sent.message.via.host !== sent.from.host) wrong.push(`${sent.label}: sent by ${sent.message.via.host}`)
    for (const via of sent.message.vias.slice(1)) {
      const adder = flow.participants.find(({ host }) => host === via.host)
      if (via.received !== adder?.address) wrong.push(`${sent.label}: ${via.host} received ${via.received}`)
    }
  }
  for (const sent of responses(flow)) {
    if (sent.message.via.host !== sent.to.host) wrong.push(`${sent.label}: goes to ${sent.message.via.host}`)
    if (sent.message.via.received !== sent.to.address) wrong.push(`${sent.label}: ${sent.message.via.received}`)
  }
  return wrong
}

/** The request that a response answers on its hop. */
function requestOf(flow: Flow, response: FlowMessage): Sent<SipRequest> | undefined {
  const { message } = response
  return before(flow, requests(flow), response).findLast(
    ({ message: request, from, to }) =>
      from === response.to &&
      to === response.from &&
      request.via.branch === message.via.branch &&
      request.method === message.cseq.method,
  )
}

function checkResponses(flow: Flow): string[] {
  const wrong: string[] = []
  for (const sent of responses(flow)) {
    const { message } = sent
    const request = requestOf(flow, sent)?.message
    if (request === undefined) {
      wrong.push(`${sent.label}: answers nothing`)
      continue
    }
    if (message.vias.map(bare).join() !== request.vias.map(bare).join()) wrong.push(`${sent.label}: Via`)
    for (const name of ['From', 'Call-ID', 'CSeq'] as const) {
      if (message.get(name) !== request.get(name)) wrong.push(`${sent.label}: ${name}`)
    }
    if (request.to.tag !== undefined && message.to.tag !== request.to.tag) wrong.push(`${sent.label}: To tag`)
    if (message.status > 100 && message.to.tag === undefined) wrong.push(`${sent.label}: no To tag`)
    const makesDialog = message.status > 100 && message.status < 300 && request.method === 'INVITE'
    const recorded = makesDialog ? texts(request.recordRoutes) : ''
    // A proxy that answers upstream still has the routes of those behind it.
    if (isFinalHop(flow, sent) && texts(message.recordRoutes) !== recorded) wrong.push(`${sent.label}: Record-Route`)
  }
  return wrong
}

/** True for the response of whom the request was for, before any proxy has passed it back. */
function isFinalHop(flow: Flow, sent: FlowMessage): boolean {
  const own = sent.message.vias.length
  const same = responses(flow).filter(
    ({ message }) =>
      message.callId === sent.message.callId &&
      message.get('CSeq') === sent.message.get('CSeq') &&
      message.to.tag === sent.message.to.tag,
  )
  return same.every(({ message }) => message.vias.length <= own)
}

function checkForwarding(flow: Flow): string[] {
  const wrong: string[] = []
  for (const sent of requests(flow)) {
    if (isOrigin(sent)) continue
    const { message } = sent
    const inner = vias(sent).slice(1).join()
    const came = before(flow, requests(flow), sent).findLast(
      (other) => other.to === sent.from && vias(other).join() === inner && other.message.method === message.method,
    )?.message
    if (came === undefined) {
      wrong.push(`${sent.label}: came from nowhere`)
      continue
    }
    if (message.maxForwards !== (came.maxForwards ?? 0) - 1) wrong.push(`${sent.label}: Max-Forwards`)
    for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Contact'] as const) {
      if (message.get(name) !== came.get(name)) wrong.push(`${sent.label}: ${name}`)
    }
    const own = message.recordRoutes.length - came.recordRoutes.length
    if (own > 1 || texts(message.recordRoutes.slice(own)) !== texts(came.recordRoutes)) {
      wrong.push(`${sent.label}: Record-Route`)
    }
    const popped = came.routes.length - message.routes.length
    if (popped < 0 || texts(came.routes.slice(popped)) !== texts(message.routes)) wrong.push(`${sent.label}: Route`)
  }
  return wrong
}

/** The INVITE of a transaction, by its branch and hop. */
function inviteOf(flow: Flow, sent: Sent<SipRequest>): SipRequest | undefined {
  return before(flow, requests(flow), sent).find(
    ({ message, from, to }) =>
      message.method === 'INVITE' &&
      from === sent.from &&
      to === sent.to &&
      message.via.branch === sent.message.via.branch,
  )?.message
}

function differences(request: SipRequest, invite: SipRequest): string[] {
  const wrong: string[] = []
  if (!isOrigin({ message: request } as FlowMessage)) wrong.push('several Vias')
  if (bare(request.via) !== bare(invite.via)) wrong.push('Via')
  if (!request.uri.equals(invite.uri)) wrong.push('Request-URI')
  if (texts(request.routes) !== texts(invite.routes)) wrong.push('Route')
  if (request.from.toString() !== invite.from.toString()) wrong.push('From')
  if (request.callId !== invite.callId) wrong.push('Call-ID')
  if (request.cseq.seq !== invite.cseq.seq) wrong.push('CSeq')
  if (request.bodyLength > 0 || request.contacts.length > 0) wrong.push('body or Contact')
  return wrong
}

function checkFailureAcks(flow: Flow): string[] {
  const wrong: string[] = []
  for (const sent of responses(flow)) {
    const { message } = sent
    if (message.status < 300 || message.cseq.method !== 'INVITE') continue
    const ack = requests(flow).find(
      (other) =>
        other.message.method === 'ACK' && other.from === sent.to && other.message.via.branch === message.via.branch,
    )
    const invite = ack === undefined ? undefined : inviteOf(flow, ack)
    if (ack === undefined || invite === undefined) wrong.push(`${sent.label}: no ACK`)
    else {
      wrong.push(...differences(ack.message, invite).map((name) => `${ack.label}: ${name}`))
      if (ack.message.to.toString() !== message.to.toString()) wrong.push(`${ack.label}: To`)
    }
  }
  return wrong
}

function checkCancels(flow: Flow): string[] {
  const wrong: string[] = []
  for (const sent of requests(flow).filter(({ message }) => message.method === 'CANCEL')) {
    const invite = inviteOf(flow, sent)
    if (invite === undefined) wrong.push(`${sent.label}: cancels nothing`)
    else {
      wrong.push(...differences(sent.message, invite).map((name) => `${sent.label}: ${name}`))
      if (sent.message.to.toString() !== invite.to.toString()) wrong.push(`${sent.label}: To`)
    }
    const names = ['Require', 'Proxy-Require'].filter((name) => sent.message.get(name) !== undefined)
    wrong.push(...names.map((name) => `${sent.label}: ${name}`))
  }
  return wrong
}

/** The 2xx of INVITEs as the caller got them. */
function answers(flow: Flow): Sent<SipResponse>[] {
  return responses(flow).filter(
    ({ message }) => message.status === 200 && message.cseq.method === 'INVITE' && message.vias.length === 1,
  )
}

function checkSuccessAcks(flow: Flow): string[] {
  const wrong: string[] = []
  for (const { label, message, to } of answers(flow)) {
    const ack = requests(flow).find(
      (sent) =>
        sent.from === to &&
        isOrigin(sent) &&
        sent.message.method === 'ACK' &&
        sent.message.cseq.seq === message.cseq.seq,
    )?.message
    if (ack === undefined) wrong.push(`${label}: no ACK`)
    else {
      if (ack.via.branch === message.via.branch) wrong.push(`${label}: ACK with the branch of the INVITE`)
      if (!ack.uri.equals(message.contacts[0]?.uri)) wrong.push(`${label}: ACK to another URI than the Contact`)
      if (ack.from.tag !== message.from.tag || ack.to.tag !== message.to.tag) wrong.push(`${label}: tags of the ACK`)
    }
  }
  return wrong
}

function checkRouteSets(flow: Flow): string[] {
  const wrong: string[] = []
  const [answer] = answers(flow)
  if (answer === undefined) return []
  const callee = requests(flow)
    .filter(({ message }) => message.method === 'INVITE' && message.to.tag === undefined)
    .at(-1)
  const callerTag = answer.message.from.tag
  const callerRoutes = texts([...answer.message.recordRoutes].reverse())
  const calleeRoutes = texts(callee?.message.recordRoutes ?? [])
  for (const sent of requests(flow)) {
    const { message } = sent
    const isInDialog = message.to.tag !== undefined && message.from.tag !== undefined && isOrigin(sent)
    if (!isInDialog || message.via.branch === undefined || inviteOf(flow, sent) !== undefined) continue
    const expected = message.from.tag === callerTag ? callerRoutes : calleeRoutes
    if (texts(message.routes) !== expected) wrong.push(`${sent.label}: ${texts(message.routes)} and not ${expected}`)
    if (!remoteTargets(flow, sent).includes(message.uri.toString())) wrong.push(`${sent.label}: ${message.uri}`)
  }
  return wrong
}

/** The last Contact that each other party has given before. */
function remoteTargets(flow: Flow, sent: Sent<SipRequest>): string[] {
  const contacts = flow.messages
    .slice(0, flow.messages.indexOf(sent))
    .filter(({ message, from }) => {
      const tag = message.kind === 'request' ? message.from.tag : message.to.tag
      return from !== sent.from && tag === sent.message.to.tag && message.contacts.length > 0
    })
    .map(({ message }) => message.contacts[0]?.uri.toString() ?? '')
  return contacts.slice(-1)
}

function checkSequence(flow: Flow): string[] {
  const wrong: string[] = []
  const last = new Map<string, Sent<SipRequest>>()
  for (const sent of requests(flow)) {
    const { message } = sent
    if (!isOrigin(sent) || message.method === 'ACK' || message.method === 'CANCEL') continue
    const key = `${message.callId} ${message.from.tag}`
    const earlier = last.get(key)
    last.set(key, sent)
    if (earlier === undefined || earlier.bytes.equals(sent.bytes)) continue
    if (message.cseq.seq !== earlier.message.cseq.seq + 1) wrong.push(`${sent.label}: CSeq ${message.cseq.seq}`)
    if (message.via.branch === earlier.message.via.branch) wrong.push(`${sent.label}: branch of ${earlier.label}`)
  }
  return wrong
}

function checkNextHops(flow: Flow): string[] {
  const wrong: string[] = []
  for (const { label, message, to, from } of requests(flow)) {
    const next = message.routes[0]?.uri
    if (next instanceof SipUri && (next.host !== to.host || !next.isLooseRouter)) wrong.push(`${label}: ${next}`)
    const isOwn = message.routes.some(({ uri }) => uri instanceof SipUri && uri.host === from.host)
    if (isOwn) wrong.push(`${label}: goes back to its sender`)
  }
  return wrong
}

function checkRepeats(flow: Flow): string[] {
  const seen = new Map<string, FlowMessage>()
  const wrong: string[] = []
  for (const sent of requests(flow)) {
    const { method, via } = sent.message
    const key = `${method} ${via.branch} ${sent.from.name}`
    const earlier = seen.get(key)
    if (earlier !== undefined && !earlier.bytes.equals(sent.bytes)) wrong.push(`${sent.label} and ${earlier.label}`)
    if (via.branch?.startsWith('z9hG4bK') !== true) wrong.push(`${sent.label}: branch ${via.branch}`)
    seen.set(key, sent)
  }
  return wrong
}
