select capture('config_entries', 'entry_id', '{key, scope}');
