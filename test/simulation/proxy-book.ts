/**
 * What the wire must show of proxies, whatever happens on it: one final response but for further 2xx, nothing after it, no
 * 100 of another hop and none to anybody who did not ask (RFC 3261 §16.7), a Via more and a hop less on each request (§16.6),
 * CANCEL only for what is under way (§16.10).
 */
import type { ObservedMessage } from '@carillon/sip-transaction/testing'

/** Answers to one request, by its top branch. */
interface Answers {
  status: number
  readonly requestFrom: string
}

/** Reads every message of a network. */
export class ProxyBook {
  readonly violations: string[] = []
  private readonly asked = new Map<string, Answers>()
  /** Max-Forwards by the branch with which a request reached a proxy. */
  private readonly hops = new Map<string, number>()

  /** @param proxies addresses of the proxies */
  constructor(private readonly proxies: ReadonlySet<string>) {}

  /** Books one message; returns it as a line of a ladder. */
  note({ atMs, from, to, bytes, fate }: ObservedMessage): string {
    const text = Buffer.from(bytes).toString('latin1')
    const line = text.slice(0, text.indexOf('\r\n'))
    const [, number = '', method = ''] = /^CSeq: (\d+) (\w+)/im.exec(text) ?? []
    const branches = [...text.matchAll(/^Via: [^\r]*;branch=([^;\r\n]+)/gim)].map(([, branch = '']) => branch)
    const key = `${method} ${branches[0]}`
    const ladder = `${atMs.toFixed(1)} ${from.address} > ${to.address} ${line} (${number} ${method}, ${branches[0]?.slice(-8)}) ${fate}`
    if (line.startsWith('SIP/2.0 ')) this.noteResponse(key, Number(line.slice(8, 11)), from.address, method, ladder)
    else this.noteRequest(text, line.slice(0, line.indexOf(' ')), branches, from.address, ladder)
    return ladder
  }

  private noteRequest(text: string, method: string, branches: readonly string[], from: string, ladder: string): void {
    const top = `${method} ${branches[0]}`
    const isRepeated = this.asked.has(top)
    if (!isRepeated) this.asked.set(top, { status: 0, requestFrom: from })
    const left = Number(/^Max-Forwards: *(\d+)/im.exec(text)?.[1])
    this.hops.set(top, left)
    if (!this.proxies.has(from)) return
    if (method === 'CANCEL') {
      const invite = this.asked.get(`INVITE ${branches[0]}`)
      if (invite === undefined) this.violate(`CANCEL of no INVITE: ${ladder}`)
      return
    }
    // The ACK to a failure is the proxy's own.
    if (method === 'ACK' && branches.length === 1) return
    const before = this.hops.get(`${method} ${branches[1]}`)
    if (branches.length < 2 || before === undefined) this.violate(`a request of a proxy that nobody sent it: ${ladder}`)
    else if (left !== before - 1) this.violate(`Max-Forwards ${before} became ${left}: ${ladder}`)
  }

  private noteResponse(key: string, status: number, from: string, method: string, ladder: string): void {
    const answers = this.asked.get(key)
    if (answers === undefined) this.violate(`a response to nobody: ${ladder}`)
    if (answers === undefined || !this.proxies.has(from) || method === 'CANCEL') return
    const { status: before } = answers
    if (before >= 200) {
      const isFurther = method === 'INVITE' && status >= 200 && status < 300
      const isRepeated = status === before
      if (!isFurther && !isRepeated) this.violate(`${status} after ${before}: ${ladder}`)
    }
    if (status > 100 && status < 200 && method !== 'INVITE') this.violate(`RFC 4320 §4.1: ${ladder}`)
    if (status >= 200 && before < 200) answers.status = status
  }

  private violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(what)
  }
}
