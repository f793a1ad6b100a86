/** The numbers of a certificate whose authorities have some numbers only: nobody hands on more than he has (RFC 9060 §4.1). Pure. */
import { TnAuthorization } from './tn-auth-list'

/** What a TNAuthList names, as far as those who vouch for it may. */
export class DelegatedAuthorization extends TnAuthorization {
  constructor(
    own: TnAuthorization,
    private readonly above: readonly TnAuthorization[],
  ) {
    super(own.spcs, own.ranges, own.numbers)
  }

  override covers(number: string): boolean | undefined {
    return this.above.some((list) => list.covers(number) === false) ? false : super.covers(number)
  }
}
