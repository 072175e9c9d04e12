/** The refusal codes of this room. */
export const codes = {
  /** 401: name and password do not belong together; it never says which of the two was wrong. */
  credentialsWrong: 'credentials.wrong',
  /** 429: too many failed attempts; `retryAfterSeconds` says how long to wait. */
  signInThrottled: 'sign_in.throttled',
  /** 503: so many passwords wait to be checked that another one would wait too long. */
  signInBusy: 'sign_in.busy',
  /** 401: there is no session, or it was ended. */
  sessionMissing: 'session.missing',
  /** 401: nobody used the session for `SESSION_IDLE_MS`. */
  sessionIdle: 'session.idle',
  /** 401: the session is older than `SESSION_AGE_MS`. */
  sessionExpired: 'session.expired',
  /** 403: the role does not allow this. */
  roleForbidden: 'role.forbidden',
  /** 404: no account has that name. */
  unknown: 'staff.unknown',
  nameMalformed: 'staff.name_malformed',
  passwordWeak: 'staff.password_weak',
  /** 422: no such role. */
  roleUnknown: 'staff.role_unknown',
  /** 409: an account has that name. */
  nameTaken: 'staff.name_taken',
} as const;
