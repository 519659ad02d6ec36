-- Marks by how fine they are: 0 a minute, 1 the first of its hour, 2 the first of its day. The marks of a grain and of the
-- coarser ones are a series of their own, so that a curve of hours reads no minutes, and minutes can be thrown away.

alter table position_marks
  add column grain smallint not null default 2,
  add constraint position_marks_grain check (grain between 0 and 2);
alter table position_marks alter column grain drop default;

drop index position_marks_at;
create index position_marks_by_grain on position_marks (grain, at);
create index position_marks_hours on position_marks (position_id, at) where grain >= 1;
create index position_marks_days on position_marks (position_id, at) where grain >= 2;
