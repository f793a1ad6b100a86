/**
 * What is alive for a moment, in the order in which it came: requests without an answer, calls, bridges. A `Set` would do,
 * but each time that it tidies itself up its old table points to the new one; once one such table has grown old, the
 * garbage collector keeps every later one, and all that stood in it, until it next looks at everything. No RFC asks for it.
 */

/** A place in a roster; the roster's own. */
export interface RosterPlace {
  item: Listed | undefined
  older: RosterPlace | undefined
  newer: RosterPlace | undefined
}

/** What can be in a roster; in one at a time. */
export interface Listed {
  /** The roster's own. */
  rosterPlace?: RosterPlace | undefined
}

/** A set. Every operation costs the same at any size. */
export class Roster<T extends Listed> {
  private first: RosterPlace | undefined = undefined
  private last: RosterPlace | undefined = undefined
  private count = 0

  get size(): number {
    return this.count
  }

  add(item: T): void {
    if (item.rosterPlace !== undefined) return
    const place: RosterPlace = { item, older: this.last, newer: undefined }
    if (this.last === undefined) this.first = place
    else this.last.newer = place
    this.last = place
    item.rosterPlace = place
    this.count += 1
  }

  /** @returns whether it was there */
  delete(item: T): boolean {
    const place = item.rosterPlace
    if (place === undefined) return false
    const { older, newer } = place
    if (older === undefined) this.first = newer
    else older.newer = newer
    if (newer === undefined) this.last = older
    else newer.older = older
    // What has left points to nothing: see the head of this file.
    place.item = undefined
    place.older = undefined
    place.newer = undefined
    item.rosterPlace = undefined
    this.count -= 1
    return true
  }

  /** Those that are there now, the oldest first. */
  list(): T[] {
    const items: T[] = []
    for (let place = this.first; place !== undefined; place = place.newer) items.push(place.item as T)
    return items
  }
}
