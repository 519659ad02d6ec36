-- A transfer with which compliance is not sure waits, REQUESTED and with its amount set aside, until compliance decides; only
-- then others are asked for their approvals. The decision is a request like any other, of its own subject.

alter table approval_requests drop constraint approval_requests_subject;
alter table approval_requests add constraint approval_requests_subject check (
  subject_type in ('TRANSFER', 'ADJUSTMENT', 'WRITE_OFF', 'REVIEW'));

alter table transfers add column review_request_id uuid;
alter table transfers add constraint transfers_review foreign key (review_request_id) references approval_requests (request_id)
  on update restrict on delete restrict;
alter table transfers drop constraint transfers_reserved;
alter table transfers add constraint transfers_reserved check (
  reserved_amount = case when status = 'PENDING_APPROVAL' or (status = 'REQUESTED' and review_request_id is not null)
                         then amount else 0 end);

-- No transfer proceeds without its approvals, nor past a review that is not decided for it, whoever writes it.
create or replace function refuse_unapproved_transfer() returns trigger
  language plpgsql as $$
begin
  if new.status in ('APPROVED', 'PROCESSING', 'COMPLETED') and not exists (
    select from approval_requests as request
     where request.request_id = new.approval_request_id and request.subject_id = new.transfer_id
       and request.subject_type = 'TRANSFER' and request.status = 'APPROVED'
       and (select count(*) from votes where votes.request_id = request.request_id and decision = 'APPROVE') >= request.required
  ) then
    raise exception 'a transfer needs its approvals' using errcode = 'check_violation';
  end if;
  if tg_op = 'UPDATE' and old.review_request_id is distinct from new.review_request_id and old.review_request_id is not null then
    raise exception 'a review stays with its transfer' using errcode = 'check_violation';
  end if;
  if new.status in ('PENDING_APPROVAL', 'APPROVED', 'PROCESSING', 'COMPLETED') and new.review_request_id is not null
     and not exists (
       select from approval_requests as review
        where review.request_id = new.review_request_id and review.subject_id = new.transfer_id
          and review.subject_type = 'REVIEW' and review.status = 'APPROVED') then
    raise exception 'a transfer under review needs the decision of compliance' using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- A person is the same in capitals and in letters of another width.
create function person_key(name text) returns text
  language sql immutable strict as $$ select lower(normalize(name, nfkc)) $$;

create or replace function refuse_own_vote() returns trigger
  language plpgsql as $$
begin
  if exists (select from approval_requests where request_id = new.request_id
              and (person_key(requested_by) = person_key(new.approver_id) or status <> 'PENDING'))
     or exists (select from votes where request_id = new.request_id and person_key(approver_id) = person_key(new.approver_id)) then
    raise exception 'nobody approves what he asked for himself, or what is decided, or twice' using errcode = 'check_violation';
  end if;
  return new;
end $$;

-- What should be settled by now and is not.
create index settlements_overdue on settlements (deadline_at)
  where status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED');
