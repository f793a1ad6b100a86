/** Candidates of ICE (RFC 8839 §5.1, §5.2; RFC 6544 §4.5 for TCP). */
import { type AttributeCodec, type ValueReader, valueCodec } from './codec'

/** The value of a candidate attribute. */
export interface Candidate {
  readonly foundation: string
  /** 1 for RTP, 2 for RTCP. */
  readonly component: number
  /** As written: `UDP`, `udp`, `TCP`. */
  readonly transport: string
  /** 1 to 2**31 - 1; larger numbers, which old peers send, are read. */
  readonly priority: number
  /** An address, or a host name such as those that hide a browser's own address. */
  readonly address: string
  readonly port: number
  /** `host`, `srflx`, `prflx`, `relay`, or what a later extension says. */
  readonly type: string
  readonly relatedAddress?: string
  readonly relatedPort?: number
  /** What follows, in pairs, such as `tcptype` or `generation`. */
  readonly extensions: readonly (readonly [name: string, value: string])[]
}

/** A candidate of the other side that was chosen. */
export interface RemoteCandidate {
  readonly component: number
  readonly address: string
  readonly port: number
}

/** Codec of `a=candidate`. */
export const candidateCodec: AttributeCodec<Candidate> = valueCodec(
  'candidate',
  'SDP_CANDIDATE_INVALID',
  readCandidate,
  writeCandidate,
)

/** Codec of `a=remote-candidates`. */
export const remoteCandidatesCodec: AttributeCodec<readonly RemoteCandidate[]> = valueCodec(
  'remote-candidates',
  'SDP_CANDIDATE_INVALID',
  (reader) => {
    const candidates: RemoteCandidate[] = []
    do {
      const component = reader.number(1, 256)
      reader.space()
      const address = reader.word()
      reader.space()
      candidates.push({ component, address, port: reader.number(0, 65_535) })
    } while (reader.optional(/ +(?=[^ ])/y) !== undefined)
    return candidates
  },
  (candidates) => candidates.map(({ component, address, port }) => `${component} ${address} ${port}`).join(' '),
)

function readCandidate(reader: ValueReader): Candidate {
  const foundation = reader.match(/[A-Za-z0-9+/]{1,32}/y)
  reader.space()
  const component = reader.number(1, 256)
  reader.space()
  const transport = reader.token()
  reader.space()
  const priority = reader.number(0, 4_294_967_295)
  reader.space()
  const address = reader.word()
  reader.space()
  const port = reader.number(0, 65_535)
  reader.match(/ +typ +/y)
  const type = reader.token()
  const isRelated = reader.optional(/ +raddr +/y) !== undefined
  const relatedAddress = isRelated ? reader.word() : undefined
  const relatedPort = reader.optional(/ +rport +/y) === undefined ? undefined : reader.number(0, 65_535)
  const extensions: (readonly [string, string])[] = []
  while (reader.optional(/ +(?=[^ ])/y) !== undefined) {
    const name = reader.word()
    reader.space()
    extensions.push([name, reader.word()])
  }
  return {
    foundation,
    component,
    transport,
    priority,
    address,
    port,
    type,
    ...(relatedAddress === undefined ? {} : { relatedAddress }),
    ...(relatedPort === undefined ? {} : { relatedPort }),
    extensions,
  }
}

function writeCandidate(candidate: Candidate): string {
  const { foundation, component, transport, priority, address, port, type } = candidate
  let text = `${foundation} ${component} ${transport} ${priority} ${address} ${port} typ ${type}`
  if (candidate.relatedAddress !== undefined) text += ` raddr ${candidate.relatedAddress}`
  if (candidate.relatedPort !== undefined) text += ` rport ${candidate.relatedPort}`
  for (const [name, value] of candidate.extensions) text += ` ${name} ${value}`
  return text
}
