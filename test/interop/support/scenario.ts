/**
 * Writes SIPp scenarios step by step. A scenario in which one side misbehaves on purpose differs from the next one in a line or
 * two; as steps those lines can be seen. What a step expects and does not get fails the run, and so does anything unexpected.
 */

/** One step, and the variables that it fills. */
export interface Step {
  readonly xml: string
  readonly variables: readonly string[]
}

/** What a received message must have. */
export interface Match {
  /** With its colon; the whole message when absent. */
  readonly header?: string
  /** POSIX, extended. */
  readonly regexp: string
}

/** How a received message is looked at. */
export interface ReceiveOptions {
  readonly isOptional?: boolean
  /** Takes the remote target of the dialog from it. */
  readonly target?: boolean
  readonly has?: readonly Match[]
  readonly hasNot?: readonly Match[]
  /** Keeps what is matched under a name, to be used as `[$name]`. */
  readonly keep?: Readonly<Record<string, Match>>
  /** Keeps what an answer needs, for {@link respond} with `to` of the same name. */
  readonly answerLater?: string
  /** Goes to the label when it comes. */
  readonly next?: string
}

/** How a message is sent. */
export interface SendOptions {
  readonly headers?: readonly string[]
  readonly sdp?: string
}

/** How a request is sent. */
export interface RequestOptions extends SendOptions {
  readonly cseq: number
  /** Names the transaction: CANCEL, the ACK of a failure and a repetition have the name of their INVITE. */
  readonly branch: string
  /** Outside of the dialog, which gives To no tag, or to where the first request went, which gives it one. */
  readonly place?: 'outside' | 'failed'
  /** Who it is from and to, of a REGISTER. */
  readonly user?: string
}

/** The session description of SIPp. */
export const sippSdp = [
  'v=0',
  'o=sipp 20190 1 IN IP4 [media_ip]',
  's=-',
  'c=IN IP4 [media_ip]',
  't=0 0',
  'm=audio [media_port] RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
].join('\n')

/** The same as changed for the second time, and put on hold. */
export const sippHoldSdp = `${sippSdp.replace('20190 1', '20190 2')}\na=sendonly`

/** How SIPp is reached. */
export const sippContact = 'sip:sipp@[local_ip]:[local_port];transport=[transport]'

const contact = `Contact: <${sippContact}>`
const service = 'sip:service@[remote_ip]:[remote_port]'
const ownTag = ';tag=[pid]s[call_number]'

/** A whole scenario. */
export function scenario(name: string, steps: readonly Step[]): string {
  const variables = [...new Set(steps.flatMap((step) => step.variables))]
  const reference = variables.length === 0 ? '' : `<Reference variables="${variables.join(',')}"/>`
  return `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="${name}">
${steps.map((step) => step.xml).join('\n')}
${reference}
</scenario>
`
}

/** A request of the side that called. */
export function send(method: string, options: RequestOptions): Step {
  const tag = options.place === 'outside' ? '' : '[peer_tag_param]'
  const from = options.user === undefined ? 'sip:sipp@[local_ip]:[local_port]' : `sip:${options.user}@carillon.test`
  const to = options.user === undefined ? service : from
  return request(method, options, [`From: <${from}>;tag=[pid]c[call_number]`, `To: <${to}>${tag}`])
}

/** A request of the side that was called; `receive('ACK', asCallee)` has kept who is who. */
export function sendAsCallee(method: string, options: RequestOptions): Step {
  return request(method, options, ['From:[$callee]', 'To:[$caller]'])
}

/** For the ACK that a callee gets, so that it can send requests afterwards. */
export const asCallee: ReceiveOptions = {
  keep: { callee: { header: 'To:', regexp: '.*' }, caller: { header: 'From:', regexp: '.*' } },
}

/** Answers the last request received, or the one kept under the name `to`. The To of a first INVITE gets its tag. */
export function respond(status: string, options: SendOptions & { to?: string; isInDialog?: boolean } = {}): Step {
  const { to, isInDialog = false } = options
  const tag = isInDialog ? '' : ownTag
  const echoed =
    to === undefined
      ? ['[last_Via:]', '[last_From:]', `[last_To:]${tag}`, '[last_Call-ID:]', '[last_CSeq:]']
      : [`Via:[$${to}_via]`, `From:[$${to}_from]`, `To:[$${to}_to]${tag}`, 'Call-ID: [call_id]', `CSeq:[$${to}_cseq]`]
  return message([`SIP/2.0 ${status}`, ...echoed, contact, ...(options.headers ?? [])], options.sdp)
}

/** Waits for a request, when given a method, or for a response, when given a status. */
export function receive(what: string | number, options: ReceiveOptions = {}): Step {
  const { isOptional, target, has = [], hasNot = [], keep = {}, answerLater, next } = options
  const kept = { ...keep }
  if (answerLater !== undefined) {
    for (const [name, header] of Object.entries({ via: 'Via:', from: 'From:', to: 'To:', cseq: 'CSeq:' }))
      kept[`${answerLater}_${name}`] = { header, regexp: '.*' }
  }
  const actions = [
    ...has.map((match) => ereg(match, 'matched', 'check_it="true"')),
    ...hasNot.map((match) => ereg(match, 'matched', 'check_it_inverse="true"')),
    ...Object.entries(kept).map(([name, match]) => ereg(match, name, 'check_it="true"')),
  ]
  const attributes = [
    typeof what === 'string' ? `request="${what}"` : `response="${what}"`,
    ...(isOptional === true ? ['optional="true"'] : []),
    ...(target === true ? ['rrs="true"'] : []),
    ...(next === undefined ? [] : [`next="${next}"`]),
    // An answer to a challenge is made from what this notes.
    ...(what === 401 || what === 407 ? ['auth="true"'] : []),
  ].join(' ')
  const xml =
    actions.length === 0 ? `<recv ${attributes}/>` : `<recv ${attributes}><action>${actions.join('')}</action></recv>`
  const variables = [...Object.keys(kept), ...(has.length + hasNot.length > 0 ? ['matched'] : [])]
  return { xml, variables }
}

/** A 100 may come first. */
export const mayTry: Step = receive(100, { isOptional: true })

export function pause(durationMs: number): Step {
  return { xml: `<pause milliseconds="${durationMs}"/>`, variables: [] }
}

/** A place to go to; names are numbers. */
export function label(name: string): Step {
  return { xml: `<label id="${name}"/>`, variables: [] }
}

function request(method: string, options: RequestOptions, parties: readonly string[]): Step {
  const outside = options.user === undefined ? service : 'sip:[remote_ip]:[remote_port]'
  const uri = options.place === undefined ? '[next_url]' : outside
  const branch = `z9hG4bK-[pid]-[call_number]-${options.branch}`
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch};rport`,
    'Max-Forwards: 70',
    ...parties,
    'Call-ID: [call_id]',
    `CSeq: ${options.cseq} ${method}`,
    ...(method === 'CANCEL' || method === 'ACK' ? [] : [contact]),
    ...(options.headers ?? []),
  ]
  return message(lines, options.sdp)
}

function message(lines: readonly string[], sdp: string | undefined): Step {
  const body =
    sdp === undefined
      ? ['Content-Length: 0', '', '']
      : ['Content-Type: application/sdp', 'Content-Length: [len]', '', sdp, '']
  return { xml: `<send><![CDATA[\n${[...lines, ...body].join('\n')}\n]]></send>`, variables: [] }
}

function ereg({ header, regexp }: Match, variable: string, check: string): string {
  const where = header === undefined ? 'search_in="msg"' : `search_in="hdr" header="${header}"`
  return `<ereg regexp="${escaped(regexp)}" ${where} ${check} assign_to="${variable}"/>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
