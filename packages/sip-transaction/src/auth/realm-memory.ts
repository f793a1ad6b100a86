/** What a digest client keeps of the realms that have challenged it (RFC 3261 §22.1, §22.3; RFC 7616 §3.6). Pure. */
import type { AnswerHeader, ChosenChallenge } from './choose'
import { digestHash, digestStrength } from './digest'

/** What is kept of one realm. */
export interface RealmState {
  readonly key: string
  readonly header: AnswerHeader
  /** The host that challenged; only requests to it get credentials unasked. */
  readonly host: string
  readonly chosen: ChosenChallenge
  /** The nonce to use next: of the challenge, or the last nextnonce. */
  nonce: string
  /** Requests sent with this nonce. */
  count: number
  /** The cnonce that -sess keeps for as long as its session. */
  readonly sessionCnonce: string | undefined
  /** False once the password was refused: no request offers it unasked. */
  isUsable: boolean
}

/** Realms by header and name, as many as the limit says. */
export class RealmMemory {
  private readonly states = new Map<string, RealmState>()

  constructor(private readonly realmsMax: number) {}

  get(key: string): RealmState | undefined {
    return this.states.get(key)
  }

  /** Every realm with a nonce to use. */
  usable(): RealmState[] {
    return [...this.states.values()].filter((state) => state.isUsable)
  }

  /** True when a challenge is weaker than what this realm has asked for before: someone on the way may have cut it. */
  isDowngrade(key: string, chosen: ChosenChallenge): boolean {
    const before = this.states.get(key)
    if (before === undefined) return false
    return digestStrength[digestHash(chosen.algorithm)] < digestStrength[digestHash(before.chosen.algorithm)]
  }

  /** Keeps a realm in place of what was known of it; over the cap the one challenged longest ago is forgotten. */
  keep(state: RealmState): void {
    this.states.delete(state.key)
    this.states.set(state.key, state)
    if (this.states.size <= this.realmsMax) return
    for (const key of this.states.keys()) {
      this.states.delete(key)
      return
    }
  }

  clear(): void {
    this.states.clear()
  }
}

/** The key of a realm. */
export function realmKey(header: AnswerHeader, realm: string): string {
  return `${header} ${realm}`
}
