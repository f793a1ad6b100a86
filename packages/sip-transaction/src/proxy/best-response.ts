/** The best of the failures of a proxied request: RFC 3261 §16.7 steps 6 and 7. Pure. */
import type { HeaderInit, SipResponse } from '@carillon/sip-parser'

/** Among 4xx: what tells the caller how to ask again comes first. */
const instructive: ReadonlySet<number> = new Set([401, 407, 415, 420, 484])
/** Among 4xx: what says no more than that it came to nothing comes last. */
const empty: ReadonlySet<number> = new Set([408, 487])
const challenges = ['WWW-Authenticate', 'Proxy-Authenticate'] as const

/** Ranks a failure status; the lowest rank is the best response. */
export function proxyRank(status: number): number {
  if (status >= 600) return 0
  const byClass = Math.floor(status / 100) * 10
  if (status === 503) return byClass + 9
  if (status >= 400 && status < 500) return byClass + (instructive.has(status) ? 0 : empty.has(status) ? 8 : 4)
  return byClass
}

/** Keeps the best failure so far, and the challenges of all. */
export class BestResponse {
  /** 0 while there is none. */
  status = 0
  private response: SipResponse | undefined = undefined
  /** Responses with challenges, the chosen one included. */
  private asking: SipResponse[] | undefined = undefined

  /** A branch has failed. Without a response the status is what the failure counts as. */
  offer(status: number, response: SipResponse | undefined): void {
    if (response !== undefined && (status === 401 || status === 407)) {
      if (this.asking === undefined) this.asking = [response]
      else this.asking.push(response)
    }
    if (this.status !== 0 && proxyRank(status) >= proxyRank(this.status)) return
    this.status = status
    this.response = response
  }

  /**
   * What goes back. A 503 would keep the caller away from this proxy for the sake of one next hop, so it becomes 500
   * (step 6); a challenge brings those of the other branches along, so that all can be answered at once (step 7).
   * @returns no response when the proxy has to make one with that status
   */
  choose(): { readonly status: number; readonly response: SipResponse | undefined } {
    const { status, response, asking } = this
    if (status === 503) return { status: 500, response: response?.edit().setStatus(500).remove('Retry-After').build() }
    if (response === undefined || (status !== 401 && status !== 407)) return { status, response }
    const others: HeaderInit[] = []
    for (const other of asking ?? []) {
      if (other === response) continue
      for (const name of challenges) for (const value of other.getAll(name)) others.push([name, value])
    }
    if (others.length === 0) return { status, response }
    const edit = response.edit()
    for (const [name, value] of others) edit.append(name, value)
    return { status, response: edit.build() }
  }
}
