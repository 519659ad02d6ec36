import { createHmac } from 'node:crypto';

/** The password of a domain's role that follows from the administrator's, so that nothing need be configured. */
export function derivedPassword(administrator: string, role: string): string {
  return createHmac('sha256', administrator).update(role).digest('hex');
}
