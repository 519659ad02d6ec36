/**
 * PostgreSQL refuses to run as root. As root we run it as a user that exists already; where that user cannot reach
 * our folder (a clone under a directory only root may enter), `setpriv` gives it the one capability to pass.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whom to run the server as; null keeps the caller's own user. */
export interface User {
  uid: number;
  gid: number;
}

/** How to spawn a program: what `child_process.spawn` takes. */
export interface Spawnable {
  program: string;
  args: string[];
  options: { cwd: string; uid?: number; gid?: number };
}

/** The user for the server whose data lies under `folder`: its owner, else `postgres`, else `nobody`. */
export function serverUser(folder: string): User | null {
  if (process.getuid?.() !== 0) return null;
  const owner = String(statSync(folder).uid);
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account =
    accounts.find(([, , uid]) => uid === owner && uid !== '0') ?? // initdb refuses a user without a name
    accounts.find(([name]) => name === 'postgres') ??
    accounts.find(([name]) => name === 'nobody');
  if (!account) {
    throw new Error('PostgreSQL cannot run as root, and there is no user "postgres" or "nobody". Set DATABASE_URL.');
  }
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/** The program as the user would run it, given the folders it must reach. */
export function asUser(user: User | null, program: string, args: string[], folders: string[]): Spawnable {
  if (!user) return { program, args, options: { cwd: '/' } };
  const blocked = [dirname(program), ...folders].find((folder) => !canReach(user, folder));
  if (blocked === undefined) return { program, args, options: { cwd: '/', ...user } };
  const capability = '+dac_override';
  const setpriv = [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    `--inh-caps=${capability}`,
    `--ambient-caps=${capability}`,
    // Without it PostgreSQL's own check of its program, by access(2), would drop the capability.
    '--securebits=+no_setuid_fixup',
  ];
  if (!works('setpriv', [...setpriv, 'true'])) {
    throw new Error(
      `PostgreSQL cannot run as root, and the user it would run as cannot enter ${blocked}. ` +
        'Move the project to a folder that every user may enter, or set DATABASE_URL.',
    );
  }
  return { program: 'setpriv', args: [...setpriv, program, ...args], options: { cwd: '/' } };
}

function works(program: string, args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false; // not installed, or the container withholds the capability
  }
}

const OWNER_ENTER = 0o100;
const GROUP_ENTER = 0o010;
const OTHERS_ENTER = 0o001;

/** Whether every directory on the way lets the user pass. */
function canReach(user: User, folder: string): boolean {
  for (let current = folder; ; current = dirname(current)) {
    const { uid, gid, mode } = statSync(current);
    const bit = uid === user.uid ? OWNER_ENTER : gid === user.gid ? GROUP_ENTER : OTHERS_ENTER;
    if ((mode & bit) === 0) return false;
    if (current === dirname(current)) return true;
  }
}
